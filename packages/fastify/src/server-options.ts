import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { Authentication, GivenAuthentication } from './auth/authentication.ts'
import type { RateLimit } from './edge/rate-limit.ts'
import type { Pressure } from './edge/shed-load.ts'
import { type BootstrapOptions, bootstrapNames } from './options.ts'
import { refuse, refuseUnknown, wholeNumber } from './refuse.ts'
import { type Environment, type GivenSettings, readSettings, type SettingDefaults, type Settings } from './settings/read-settings.ts'
import { settingNames, settingRow } from './settings/settings-table.ts'

/** What `createServer` takes: the options of `bootstrap`, and those of a server of its own. Each setting wins over its variable. */
export interface CreateServerOptions extends Omit<BootstrapOptions, 'rateLimit' | 'auth'> {
  /** As `bootstrap` has it, or a function that makes it from the settings: `auth: (settings) => passwordAuthentication({ users, ...settings })`. */
  readonly auth?: GivenAuthentication | ((settings: AuthenticationSettings) => Authentication) | undefined
  /** The address to listen at; the variable HOST, then `127.0.0.1`, unless said. */
  readonly host?: string | undefined
  /** The port to listen at, 0 for any that is free; the variable PORT, then 3000, unless said. */
  readonly port?: number | undefined
  /** Logs every SQL statement, its parameters masked; the variable DEBUG, then false, unless said. */
  readonly debug?: boolean | undefined
  /** The least level that is logged; the variable LOG_LEVEL, then `info`, unless said. */
  readonly logLevel?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent' | undefined
  /** Logs to files too; the variable LOG_FILE, then none, unless said. */
  readonly logFile?: string | undefined
  /** Options of pino that win over ours, with `stream` for where lines go instead of the console; false for no log at all. */
  readonly logger?: Exclude<FastifyServerOptions['logger'], undefined> | undefined
  /** Origins whose pages may use the server in a browser; the variable CORS_ORIGINS, then none, unless said. */
  readonly corsOrigins?: readonly string[] | undefined
  /** Limits how often callers may ask, true by the variables RATE_LIMIT_…; RATE_LIMIT_ENABLED, then false, unless said. */
  readonly rateLimit?: boolean | Partial<RateLimit> | undefined
  /** Signs what the server hands out, at least 32 characters; the variable SECRET_KEY unless said. For authentication. */
  readonly secretKey?: string | undefined
  /** Minutes that an access token holds; the variable ACCESS_TOKEN_EXPIRE_MINUTES, then 15, unless said. For authentication. */
  readonly accessTokenExpireMinutes?: number | undefined
  /** Days that a refresh token holds; the variable REFRESH_TOKEN_EXPIRE_DAYS, then 7, unless said. For authentication. */
  readonly refreshTokenExpireDays?: number | undefined
  /** Is made at the start where there are no users yet; FIRST_ADMIN_EMAIL and FIRST_ADMIN_PASSWORD, then nobody, unless said. For authentication. */
  readonly firstAdministrator?: { readonly email: string; readonly password: string } | undefined
  /**
   * What this program has instead of the defaults of settings, by the names of their variables: `{ APP_NAME: 'Blog', PORT: 8080 }`. Variables and
   * options win over it.
   */
  readonly defaults?: SettingDefaults | undefined
  /** Runs when the storage is open, before anybody is listened to: fills it, looks after it. What it throws ends the start. */
  readonly beforeListen?: ((app: FastifyInstance) => unknown) | undefined
  /** Whose word on the client's address is taken from `X-Forwarded-For`, as Fastify's option; the variable TRUST_PROXY, then nobody's, unless said. */
  readonly trustProxy?: FastifyServerOptions['trustProxy'] | undefined
  /** When requests are refused with 503 because there are too many; `{ eventLoopDelay: 2000, heapBytes: 0, rssBytes: 0 }` unless said, 0 for never. */
  readonly pressure?: Partial<Pressure> | false | undefined
  /** Milliseconds within which a request has to be sent; 30000 unless said. */
  readonly requestTimeout?: number | undefined
  /** Milliseconds within which its headers have to be sent; 10000 unless said, and no more than `requestTimeout`. */
  readonly headersTimeout?: number | undefined
  /** Milliseconds that a client may take nothing of an answer before its connection is cut; 30000 unless said. */
  readonly answerTimeout?: number | undefined
  /** Connections at a time; further ones are closed at once; 10000 unless said. */
  readonly maxConnections?: number | undefined
  /** Milliseconds that running requests have to finish when the process is asked to stop; 10000 unless said. */
  readonly closeTimeout?: number | undefined
}

/** The settings that are for authentication, under the names that `passwordAuthentication` has for them. */
export interface AuthenticationSettings {
  /** SECRET_KEY; undefined where it is not set. */
  readonly secret: string | undefined
  /** ACCESS_TOKEN_EXPIRE_MINUTES */
  readonly accessTokenMinutes: number
  /** REFRESH_TOKEN_EXPIRE_DAYS */
  readonly refreshTokenDays: number
  /** FIRST_ADMIN_EMAIL and FIRST_ADMIN_PASSWORD; undefined where neither is set. */
  readonly firstAdministrator: { readonly email: string | undefined; readonly password: string | undefined } | undefined
}

/** What the server itself needs, with every default filled in. */
export interface ServerOptions {
  readonly settings: Settings
  /** The header `X-User` names whoever asks. */
  readonly byHeader: boolean
  readonly logger: NonNullable<FastifyServerOptions['logger']>
  readonly rateLimit: RateLimit | undefined
  readonly trustProxy: NonNullable<FastifyServerOptions['trustProxy']>
  readonly pressure: Pressure | undefined
  readonly requestTimeout: number
  readonly headersTimeout: number
  readonly answerTimeout: number
  readonly maxConnections: number
  readonly closeTimeout: number
  readonly beforeListen: (app: FastifyInstance) => unknown
}

/** The names of the options that `createServer` has beside those of `bootstrap`. */
export const serverNames = [
  'host',
  'port',
  'debug',
  'logLevel',
  'logFile',
  'logger',
  'corsOrigins',
  'secretKey',
  'accessTokenExpireMinutes',
  'refreshTokenExpireDays',
  'firstAdministrator',
  'defaults',
  'beforeListen',
  'trustProxy',
  'pressure',
  'requestTimeout',
  'headersTimeout',
  'answerTimeout',
  'maxConnections',
  'closeTimeout',
] as const

/** What a program may have a default of its own for: secrets do not stand in programs. */
const openSettings = settingNames.filter((name) => settingRow(name).secret === undefined)

const defaultPressure: Pressure = { eventLoopDelay: 2000, heapBytes: 0, rssBytes: 0 }

/**
 * Reads options and environment; what is given in code wins. Throws UsageError `invalid_options` for an option that is none, and
 * `invalid_settings` that lists every setting that is bad.
 */
export function resolveServerOptions(
  options: CreateServerOptions,
  environment: Environment,
): { server: ServerOptions; bootstrap: BootstrapOptions } {
  refuseUnknown('createServer', options, [...bootstrapNames, ...serverNames])
  refuseUnknown('defaults', options.defaults ?? {}, openSettings)
  if (!['function', 'undefined'].includes(typeof options.beforeListen)) refuse('beforeListen is a function that gets the server.')
  const settings = readSettings(givenSettings(options), environment, options.defaults)
  const requestTimeout = wholeNumber('requestTimeout', options.requestTimeout ?? 30_000)
  const server: ServerOptions = {
    settings,
    byHeader: options.actor === undefined && !options.auth,
    logger: options.logger ?? true,
    rateLimit: resolveRateLimit(options, settings),
    trustProxy: options.trustProxy ?? settings.TRUST_PROXY ?? false,
    pressure: resolvePressure(options.pressure),
    requestTimeout,
    headersTimeout: wholeNumber('headersTimeout', options.headersTimeout ?? Math.min(10_000, requestTimeout)),
    answerTimeout: wholeNumber('answerTimeout', options.answerTimeout ?? 30_000),
    maxConnections: wholeNumber('maxConnections', options.maxConnections ?? 10_000),
    closeTimeout: wholeNumber('closeTimeout', options.closeTimeout ?? 10_000),
    beforeListen: options.beforeListen ?? (() => undefined),
  }
  if (server.headersTimeout > requestTimeout) refuse('headersTimeout is larger than requestTimeout.')
  return { server, bootstrap: bootstrapOptions(options, settings) }
}

function givenSettings(options: CreateServerOptions): GivenSettings {
  const { rateLimit } = options
  const rate = typeof rateLimit === 'object' ? rateLimit : {}
  return {
    DATABASE_URL: options.databaseUrl,
    APP_NAME: options.appName,
    APP_VERSION: options.appVersion,
    HOST: options.host,
    PORT: options.port,
    DEBUG: options.debug,
    LOG_LEVEL: options.logLevel,
    LOG_FILE: options.logFile,
    CORS_ORIGINS: options.corsOrigins,
    RATE_LIMIT_ENABLED: typeof rateLimit === 'object' ? true : rateLimit,
    RATE_LIMIT_REQUESTS: rate.requests,
    RATE_LIMIT_PERIOD: rate.period,
    SECRET_KEY: options.secretKey,
    ACCESS_TOKEN_EXPIRE_MINUTES: options.accessTokenExpireMinutes,
    REFRESH_TOKEN_EXPIRE_DAYS: options.refreshTokenExpireDays,
    FIRST_ADMIN_EMAIL: options.firstAdministrator?.email,
    FIRST_ADMIN_PASSWORD: options.firstAdministrator?.password,
    AUDIT_CHECKPOINT_KEY: options.auditCheckpoints?.key,
    AUDIT_CHECKPOINT_FILE: options.auditCheckpoints?.file,
  }
}

function resolveRateLimit({ rateLimit }: CreateServerOptions, settings: Settings): RateLimit | undefined {
  if (!settings.RATE_LIMIT_ENABLED) return undefined
  const given = typeof rateLimit === 'object' ? rateLimit : {}
  refuseUnknown('rateLimit', given, ['requests', 'period', 'by'])
  return { requests: settings.RATE_LIMIT_REQUESTS, period: settings.RATE_LIMIT_PERIOD, by: given.by }
}

function resolvePressure(given: Partial<Pressure> | false = {}): Pressure | undefined {
  if (given === false) return undefined
  refuseUnknown('pressure', given, Object.keys(defaultPressure))
  const pressure = { ...defaultPressure, ...given }
  for (const [name, value] of Object.entries(pressure)) if (value !== 0) wholeNumber(`pressure.${name}`, value)
  return pressure
}

/** The options of `bootstrap`, with the settings that it would not read by itself. The server limits requests for all its routes. */
function bootstrapOptions(options: CreateServerOptions, settings: Settings): BootstrapOptions {
  const names: readonly string[] = [...serverNames, 'rateLimit']
  // What is left is what bootstrap knows: every name was checked.
  const given = Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name))) as unknown as BootstrapOptions
  const { APP_NAME: appName, APP_VERSION: appVersion } = settings
  const auditCheckpoints = checkpointsOf(options, settings)
  return {
    ...given,
    ...(auditCheckpoints && { auditCheckpoints }),
    auth: authenticationOf(options, settings),
    databaseUrl: settings.DATABASE_URL.reveal(),
    appName,
    appVersion,
  }
}

/** A variable has one line: the lines of a key are written with `\\n` between them there. */
function checkpointsOf({ auditCheckpoints }: CreateServerOptions, settings: Settings): BootstrapOptions['auditCheckpoints'] {
  const { AUDIT_CHECKPOINT_KEY: key, AUDIT_CHECKPOINT_FILE: file } = settings
  // A file without a key is refused by whoever reads the options.
  if (!key) return auditCheckpoints ?? (file === undefined ? undefined : { key: '', file })
  return { ...auditCheckpoints, key: key.reveal().replaceAll('\\n', '\n'), file }
}

function authenticationOf({ auth }: CreateServerOptions, settings: Settings): GivenAuthentication | undefined {
  if (typeof auth !== 'function') return auth
  const { SECRET_KEY: secret, ACCESS_TOKEN_EXPIRE_MINUTES: accessTokenMinutes, REFRESH_TOKEN_EXPIRE_DAYS: refreshTokenDays } = settings
  const [email, password] = [settings.FIRST_ADMIN_EMAIL, settings.FIRST_ADMIN_PASSWORD?.reveal()]
  const firstAdministrator = email === undefined && password === undefined ? undefined : { email, password }
  return auth({ secret: secret?.reveal(), accessTokenMinutes, refreshTokenDays, firstAdministrator })
}
