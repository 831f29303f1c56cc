import { ForbiddenError } from '@strongroom/core'
import type { FastifyRequest } from 'fastify'
import { refuse } from '../refuse.ts'

/**
 * Who may use `/db`. `'loopback'`: programs on this machine, and nobody whose request came through a proxy. A function: whoever it
 * answers true for.
 */
export type Operators = 'loopback' | ((request: FastifyRequest) => boolean | Promise<boolean>)

const choices =
  "operators: 'loopback' (programs on this machine only), operators: (request) => … (your own check), or enableDbRouter: false (no /db at all)"

/** Checks who the operators are. Production has to say so. Throws UsageError `invalid_options` that names the choices. */
export function checkOperators(operators: Operators | undefined): Operators {
  if (operators === undefined && isProduction()) {
    refuse(
      `Who may use /db has to be said in production, which is every NODE_ENV but development and test, and none at all. Choose one: ${choices}.`,
    )
  }
  if (operators === undefined || operators === 'loopback' || typeof operators === 'function') return operators ?? 'loopback'
  return refuse(`operators is 'loopback', or a function of the request. Choose one: ${choices}.`)
}

function isProduction(): boolean {
  const environment = process.env['NODE_ENV']
  return environment !== 'development' && environment !== 'test'
}

/** Whether a request is an operator's. */
export async function isOperator(operators: Operators, request: FastifyRequest): Promise<boolean> {
  if (operators === 'loopback') return isFromThisMachine(request)
  // A function that was written without types may answer anything.
  return (await operators(request)) === true
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
