import { type ResponseStyle, reservedComponents } from '@strongroom/contract'
import type { AnyAccessor, StorageOptions } from '@strongroom/core'
import type { ActorOf } from './actor.ts'
import { type Authentication, checkAuthentication, type GivenAuthentication, requireChoice } from './auth/authentication.ts'
import { authenticatedActor } from './auth/identity.ts'
import { type DialectName, resolveDialects } from './dialects/translate.ts'
import { checkRateLimit, type RateLimit } from './edge/rate-limit.ts'
import { checkFigures } from './observe/check-figures.ts'
import type { AppFigure } from './observe/figure.ts'
import { checkOperators, type Operators } from './operators/guard.ts'
import { checkOwnRoutes, type OwnRoutes } from './own-routes.ts'
import { isProduction } from './production.ts'
import type { PageSize } from './query.ts'
import { refuse, refuseUnknown, wholeNumber } from './refuse.ts'
import { resolveResponseStyle } from './response-style.ts'
import { settingsTable } from './settings/settings-table.ts'

/** Where each system route is, below the prefix; `false` leaves it out. */
export interface SystemPaths {
  /** Says that the process is alive; `/health`. */
  readonly health?: string | false
  /** Says that requests can be served; `/ready`. */
  readonly ready?: string | false
  /** Figures for Prometheus, for operators; `/metrics`. */
  readonly metrics?: string | false
  /** The OpenAPI 3.1 document; `/openapi.json`. */
  readonly openapi?: string | false
  /** The page that shows it; `/docs`. */
  readonly docs?: string | false
}

/** What `bootstrap` takes: the options of `openStorage`, and those of the routes. */
export interface BootstrapOptions<Accessors extends readonly AnyAccessor[] = readonly AnyAccessor[]>
  extends Omit<StorageOptions<Accessors>, 'url' | 'logger' | 'observer'> {
  /** `sqlite:./app.db` or `postgres://…`; the variable DATABASE_URL, then `sqlite:./strongroom.db`, unless said. */
  readonly databaseUrl?: string | undefined
  /** Mounts the operators' routes under `/db`; true unless said otherwise. */
  readonly enableDbRouter?: boolean | undefined
  /** Who may use `/db` and `/metrics`. Has to be said in production, which is every NODE_ENV but `development` and `test`, and none at all. */
  readonly operators?: Operators | undefined
  /** Names whoever writes, from the host's own login; the `X-User` header is asked for where it is left out. */
  readonly actor?: ActorOf | undefined
  /**
   * Knows who asks: `trustedHeader()`, or anything with `authenticate(request)`. Requests then run on behalf of the caller, to whom `access`
   * applies: what no rule allows is denied. `false`: nobody logs in, and `X-User` is believed, as in development where it is left out.
   * Production, which is every NODE_ENV but `development` and `test`, and none at all, has to choose between this and `actor`.
   */
  readonly auth?: GivenAuthentication | undefined
  /** Stands before every path: `/api`. */
  readonly prefix?: string | undefined
  readonly systemRoutes?: SystemPaths | undefined
  /** Records on a page; `{ defaultLimit: 50, maxLimit: 100 }` unless said, and at most 1000 with `dialects`. */
  readonly pageSize?: Partial<PageSize> | undefined
  /** Refuses changes of a record without its ETag as `If-Match` (428): of all components, or of those named; false unless said. */
  readonly requireIfMatch?: boolean | readonly string[] | undefined
  /** Bytes that the body of a record may have; 1 MiB unless said. */
  readonly bodyLimit?: number | undefined
  /** Bytes that the file of an upload to `/db` may have; 64 GiB unless said. */
  readonly uploadLimit?: number | undefined
  /** `envelope` answers `{ success, message, data, pagination }` and, instead of problems, `{ success, message, status_code, details }`; `bare` unless said. */
  readonly responses?: ResponseStyle | undefined
  /**
   * Understands the queries of other tools' data providers too: `simple-rest` of react-admin's `ra-data-simple-rest`, `json-server` of
   * its `ra-data-json-server` and of refine's `@refinedev/simple-rest`; none unless said.
   */
  readonly dialects?: readonly DialectName[] | undefined
  /** The title of the OpenAPI document; `Strongroom API` unless said. */
  readonly appName?: string | undefined
  /** The version that the OpenAPI document says; `1.0.0` unless said. */
  readonly appVersion?: string | undefined
  /**
   * Makes spans of OpenTelemetry: true asks for them, false forbids them. Unless said they are there where the program has registered an SDK,
   * and never where the variable OTEL_SDK_DISABLED is `true`.
   */
  readonly tracing?: boolean | undefined
  /** Routes of the program's own, which run on behalf of whoever asks: `{ mount: (scope, storage) => void scope.get('/latest', …) }`. */
  readonly routes?: OwnRoutes | undefined
  /** Figures of the program's own for `/metrics`: `[{ name: 'shop_waiting_orders', help: 'Orders that wait.', type: 'gauge', read: () => queue.length }]`. */
  readonly figures?: readonly AppFigure[] | undefined
  /** How often a caller may ask the routes of this library: `{ requests: 100, period: 60 }`, `period` in seconds; no limit unless said. */
  readonly rateLimit?: RateLimit | undefined
}

/** The options with every default filled in. */
export interface ResolvedOptions {
  readonly storage: Omit<StorageOptions, 'logger'>
  readonly enableDbRouter: boolean
  readonly operators: Operators
  readonly actor: ActorOf | undefined
  readonly auth: Authentication | undefined
  /** Nobody said who asks, in production. */
  readonly namesByHeader: boolean
  readonly prefix: string
  readonly systemPaths: Readonly<Record<keyof SystemPaths, `/${string}` | false>>
  readonly pageSize: PageSize
  readonly requireIfMatch: boolean | readonly string[]
  readonly bodyLimit: number
  readonly uploadLimit: number
  readonly responses: ResponseStyle
  readonly dialects: readonly DialectName[]
  readonly appName: string
  readonly appVersion: string
  readonly rateLimit: RateLimit | undefined
  readonly tracing: boolean | undefined
  readonly figures: readonly AppFigure[]
  readonly routes: OwnRoutes | undefined
}

const storageNames = [
  'accessors',
  'access',
  'restoreModules',
  'createTables',
  'migrations',
  'maxRecordsPerModel',
  'transactionTimeLimit',
  'readTimeLimit',
  'backups',
  'auditCheckpoints',
  'retention',
  'onStatement',
  'sqlite',
  'postgres',
] as const
const routeNames = [
  'databaseUrl',
  'enableDbRouter',
  'operators',
  'actor',
  'auth',
  'prefix',
  'systemRoutes',
  'pageSize',
  'requireIfMatch',
  'bodyLimit',
  'uploadLimit',
  'responses',
  'dialects',
  'appName',
  'appVersion',
  'rateLimit',
  'tracing',
  'figures',
  'routes',
] as const
const systemPaths = { health: '/health', ready: '/ready', metrics: '/metrics', openapi: '/openapi.json', docs: '/docs' } as const

/** The names of the options of `bootstrap`. */
export const bootstrapNames: readonly string[] = [...storageNames, ...routeNames]

const defaultPageSize: PageSize = { defaultLimit: 50, maxLimit: 100 }
/** Records that react-admin asks for at once when it exports a list. */
const exportedPage = 1000
/** 1 MiB, in bytes. */
export const defaultBodyLimit = 1_048_576
/** 64 GiB, in bytes: the disk has the last word. */
export const defaultUploadLimit = 68_719_476_736

/** Checks the options and fills in the defaults. Throws UsageError `invalid_options` with a sentence. */
export function resolveOptions(options: BootstrapOptions): ResolvedOptions {
  refuseUnknown('bootstrap', options, bootstrapNames)
  if (!Array.isArray(options.accessors)) refuse('bootstrap needs accessors: accessors: [users].')
  refuseReserved(options.accessors)
  const enableDbRouter = options.enableDbRouter ?? true
  if (options.actor !== undefined && typeof options.actor !== 'function') refuse('actor is a function of the request that answers a name.')
  const auth = checkAuthentication(options)
  // Nobody would be held to them.
  if (options.access !== undefined && !auth) refuse('access says who may do what, and nobody says who asks. Give auth, too.')
  // Without /db they read the metrics.
  const operators = enableDbRouter || options.operators !== undefined ? checkOperators(options.operators, auth) : 'loopback'
  requireChoice(options)
  return {
    storage: storageOptions(options),
    enableDbRouter,
    operators,
    actor: auth ? (request) => authenticatedActor(request, isOpen(auth, options)) : options.actor,
    auth,
    namesByHeader: !auth && options.actor === undefined && isProduction(),
    prefix: resolvePrefix(options.prefix ?? ''),
    systemPaths: resolveSystemPaths(options.systemRoutes ?? {}),
    pageSize: resolvePageSize(options),
    requireIfMatch: resolveRequireIfMatch(options),
    bodyLimit: wholeNumber('bodyLimit', options.bodyLimit ?? defaultBodyLimit),
    uploadLimit: wholeNumber('uploadLimit', options.uploadLimit ?? defaultUploadLimit),
    responses: resolveResponseStyle(options.responses),
    dialects: resolveDialects(options),
    appName: options.appName ?? settingsTable.APP_NAME.default,
    appVersion: options.appVersion ?? settingsTable.APP_VERSION.default,
    rateLimit: checkRateLimit(options.rateLimit),
    tracing: checkTracing(options),
    figures: checkFigures(options.figures),
    routes: checkOwnRoutes(options.routes),
  }
}

function storageOptions(options: BootstrapOptions): Omit<StorageOptions, 'logger'> {
  const given = storageNames.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]]))
  const url = options.databaseUrl ?? (process.env['DATABASE_URL'] || settingsTable.DATABASE_URL.default)
  const { auth } = options
  if (!auth) return { ...Object.fromEntries(given), url, accessors: options.accessors }
  const accessors = [...options.accessors, ...(auth.accessors ?? [])]
  const restoreModules = [...(options.restoreModules ?? []), ...(auth.restoreModules ?? [])]
  if (isOpen(auth, options)) return { ...Object.fromEntries(given), url, accessors, restoreModules }
  // With a login what no rule allows is denied, also where there are no rules at all.
  return { ...Object.fromEntries(given), url, accessors, restoreModules, access: [...(options.access ?? []), ...(auth.access ?? [])] }
}

/** Nobody wrote rules, and nobody proves who they are: everybody may do everything, under a name. */
function isOpen({ proves }: Authentication, { access }: BootstrapOptions): boolean {
  return proves === false && access === undefined
}

function refuseReserved(accessors: readonly AnyAccessor[]): void {
  for (const { component } of accessors) {
    if (!(reservedComponents as readonly string[]).includes(component.toLowerCase())) continue
    refuse(
      `A component cannot be called "${component}": the API has ${reservedComponents.join(', ')} for itself. Give the accessor another name.`,
    )
  }
}

function resolvePrefix(prefix: string): string {
  if (prefix === '' || prefix === '/') return ''
  if (!/^(\/[\w.~-]+)+\/?$/.test(prefix)) refuse('prefix is a path like "/api".')
  return prefix.replace(/\/$/, '')
}

function resolveSystemPaths(given: SystemPaths): ResolvedOptions['systemPaths'] {
  refuseUnknown('systemRoutes', given, Object.keys(systemPaths))
  const path = (name: keyof SystemPaths): `/${string}` | false => {
    const value = given[name] ?? systemPaths[name]
    if (value === false || isPath(value)) return value
    return refuse(`systemRoutes.${name} is a path like "${systemPaths[name]}", or false.`)
  }
  const resolved = {
    health: path('health'),
    ready: path('ready'),
    metrics: path('metrics'),
    openapi: path('openapi'),
    docs: path('docs'),
  }
  if (resolved.docs !== false && resolved.openapi === false)
    refuse('systemRoutes.docs shows the document of systemRoutes.openapi. Leave both out, or none.')
  return resolved
}

function checkTracing({ tracing }: BootstrapOptions): boolean | undefined {
  if (tracing !== undefined && typeof tracing !== 'boolean') refuse('tracing is true, false, or left out.')
  return tracing
}

function resolveRequireIfMatch({ requireIfMatch = false, accessors }: BootstrapOptions): boolean | readonly string[] {
  if (typeof requireIfMatch === 'boolean') return requireIfMatch
  if (!Array.isArray(requireIfMatch)) refuse('requireIfMatch is true, false, or a list of components.')
  const stranger = requireIfMatch.find((name) => !accessors.some(({ component }) => component === name))
  if (stranger !== undefined) refuse(`requireIfMatch names "${stranger}", which is no component of this server.`)
  return requireIfMatch
}

function isPath(value: unknown): value is `/${string}` {
  return typeof value === 'string' && /^(\/[\w.~-]+)+$/.test(value)
}

/** Fills in a page size. */
export function resolvePageSize({ pageSize: given = {}, dialects = [] }: Pick<BootstrapOptions, 'pageSize' | 'dialects'>): PageSize {
  refuseUnknown('pageSize', given, ['defaultLimit', 'maxLimit'])
  const usual = dialects.length > 0 ? exportedPage : defaultPageSize.maxLimit
  const maxLimit = wholeNumber('pageSize.maxLimit', given.maxLimit ?? Math.max(usual, given.defaultLimit ?? 0))
  const defaultLimit = wholeNumber('pageSize.defaultLimit', given.defaultLimit ?? Math.min(defaultPageSize.defaultLimit, maxLimit))
  if (defaultLimit > maxLimit) refuse('pageSize.defaultLimit is larger than pageSize.maxLimit.')
  return { defaultLimit, maxLimit }
}
