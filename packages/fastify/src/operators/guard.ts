import { type OperatorOperation, operatorRoutes } from '@strongroom/contract'
import { everyTenant, ForbiddenError, isInScope, type Principal } from '@strongroom/core'
import type { FastifyRequest } from 'fastify'
import type { Authentication } from '../auth/authentication.ts'
import { principalOf } from '../auth/identity.ts'
import { isProduction } from '../production.ts'
import { refuse, refuseUnknown } from '../refuse.ts'
import { routeFactsOf } from '../request-facts.ts'

/**
 * Who may use `/db`. `'loopback'`: programs on this machine, and nobody whose request came through a proxy. A function: whoever it
 * answers true for.
 */
export type Operators = 'loopback' | ((request: FastifyRequest) => boolean | Promise<boolean>) | OperatorRules

/** Who may use which of the operators' routes, where the server knows who asks: `{ all: 'operator', audit: ['auditor'] }`. What no rule allows is denied. */
export type OperatorRules = { readonly [Operation in OperatorOperation | 'metrics' | 'all']?: OperatorRule | undefined }

/** Everybody or nobody, those with a role, whoever any rule of a list says, or what a function of the principal answers. */
export type OperatorRule = boolean | string | readonly OperatorRule[] | ((principal: Principal) => boolean)

const choices =
  "operators: 'loopback' (programs on this machine only), operators: (request) => … (your own check), operators: { all: 'operator' } (by roles, with auth), or enableDbRouter: false (no /db at all)"

/** Checks who the operators are. Production has to say so. Throws UsageError `invalid_options` that names the choices. */
export function checkOperators(operators: Operators | undefined, auth?: Authentication): Operators {
  // With a login what no rule allows is denied.
  if (auth && operators === undefined) return {}
  if (isRules(operators)) return checkRules(operators, auth)
  if (operators === undefined && isProduction()) {
    refuse(
      `Who may use /db has to be said in production, which is every NODE_ENV but development and test, and none at all. Choose one: ${choices}.`,
    )
  }
  if (operators === undefined || operators === 'loopback' || typeof operators === 'function') return operators ?? 'loopback'
  return refuse(`operators is 'loopback', a function of the request, or rules by the routes. Choose one: ${choices}.`)
}

function isRules(operators: unknown): operators is OperatorRules {
  return typeof operators === 'object' && operators !== null && !Array.isArray(operators)
}

function checkRules(rules: OperatorRules, auth: Authentication | undefined): OperatorRules {
  if (!auth) refuse('operators by role need to know who asks. Give auth, too.')
  refuseUnknown('operators', rules, ['all', 'metrics', ...new Set(operatorRoutes.map(({ operation }) => operation))])
  return rules
}

/** Whether a request is an operator's. */
export async function isOperator(operators: Operators, request: FastifyRequest): Promise<boolean> {
  if (!isNamed(request)) return false
  if (operators === 'loopback') return isFromThisMachine(request)
  if (isRules(operators)) return mayOperate(operators, request)
  // A function that was written without types may answer anything.
  return (await operators(request)) === true
}

/** Whether the scopes of whoever asks, if it has any, name the route: `db:audit`. They hold whatever the operators are. */
function isNamed(request: FastifyRequest): boolean {
  const principal = principalOf(request)
  return principal === undefined || isInScope(principal, 'db', routeFactsOf(request)?.operation ?? '')
}

/** Whether whoever asks belongs to one tenant. */
export function isOfOneTenant(request: FastifyRequest): boolean {
  return (principalOf(request)?.tenant ?? everyTenant) !== everyTenant
}

/** A caller of one tenant may look at its tenant, where rules and tenancy hold, and do nothing with the whole database. */
const ofTenants: readonly string[] = ['audit', 'auditProof', 'changes', 'health', 'export']

function mayOperate(rules: OperatorRules, request: FastifyRequest): boolean {
  const operation = routeFactsOf(request)?.operation
  const principal = principalOf(request)
  if (!principal || operation === undefined) return false
  if (isOfOneTenant(request) && !ofTenants.includes(operation)) return false
  return holds((Object.hasOwn(rules, operation) ? rules[operation as keyof OperatorRules] : undefined) ?? rules.all, principal)
}

function holds(rule: OperatorRule | undefined, principal: Principal): boolean {
  // "admin" stands in "no-admin", too.
  if (typeof rule === 'string') return Array.isArray(principal.roles) && principal.roles.includes(rule)
  if (Array.isArray(rule)) return rule.some((one) => holds(one, principal))
  return typeof rule === 'function' ? rule(principal) === true : rule === true
}

/** Lets operators pass. Throws ForbiddenError for everybody else. */
export async function requireOperator(operators: Operators, request: FastifyRequest): Promise<void> {
  if (await isOperator(operators, request)) return
  const advice = operators === 'loopback' ? ' This server answers them to programs on its own machine only, and not through a proxy.' : ''
  throw new ForbiddenError(`These routes are for operators.${advice}`)
}

/** Any of them says that somebody passed the request on: `X-Forwarded-For`, `CF-Connecting-IP`, `Fly-Client-IP` and their like. */
const forwardingHeader =
  /forwarded|(client|real|connecting|user|cluster)-?ip(v6)?$|^(via|cdn-loop|proxy-connection|x-original-host|x-envoy-external-address)$/

/** Whether a program on this machine makes a request, and no proxy passed it on. */
export function isFromThisMachine({ raw }: FastifyRequest): boolean {
  // The socket's own address: what the host trusts in headers does not count here.
  if (!isLoopback(raw.socket.remoteAddress)) return false
  // nginx speaks it to what is behind it, and adds no header, where it is told nothing else.
  if (raw.httpVersion === '1.0') return false
  if (Object.keys(raw.headers).some((name) => forwardingHeader.test(name))) return false
  const { host = raw.headers[':authority'], origin } = raw.headers
  return isLocalName(host) && (origin === undefined || isLocalOrigin(origin))
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/.test(address)
}

/** A page of another site can point a name of its own to this machine; a browser still says that name. */
function isLocalName(host: unknown): boolean {
  return typeof host === 'string' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host)
}

/** A host's CORS may let pages of other sites read answers; these are not for them. */
function isLocalOrigin(origin: string): boolean {
  return isLocalName(origin.replace(/^https?:\/\//, ''))
}
