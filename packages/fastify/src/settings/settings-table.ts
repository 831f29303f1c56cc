import { type TSchema, Type } from 'typebox'
import { mask, maskUrl } from './secret.ts'

/** One setting: everything that there is to know of it, in one place. */
interface SettingRow {
  /** The option of `createServer` that wins over the variable. */
  readonly option: string
  readonly schema: TSchema
  /** Left out where there is none. */
  readonly default?: unknown
  /** What a value is, where the schema alone does not tell. */
  readonly allowed?: string
  readonly doc: string
  /** Never printed: what stands in its place. */
  readonly secret?: (value: string) => string
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** A day, in seconds. */
const day = 86_400

/** Every variable that `createServer` reads. docs/reference/settings.md has the same table, and a test holds them together. */
export const settingsTable = {
  DATABASE_URL: {
    option: 'databaseUrl',
    schema: Type.String({ pattern: '^[A-Za-z][A-Za-z0-9+.-]*:' }),
    default: 'sqlite:./strongroom.db',
    allowed: 'a URL such as sqlite:./app.db or postgres://user:password@host/database',
    doc: 'where the records live',
    secret: maskUrl,
  },
  APP_NAME: {
    option: 'appName',
    schema: Type.String({ minLength: 1, maxLength: 200 }),
    default: 'Strongroom API',
    doc: 'stands in the log and is the title of the OpenAPI document',
  },
  APP_VERSION: {
    option: 'appVersion',
    schema: Type.String({ minLength: 1, maxLength: 100 }),
    default: '1.0.0',
    doc: 'stands in the log and is the version of the OpenAPI document',
  },
  HOST: {
    option: 'host',
    schema: Type.String({ pattern: '^[\\w.:-]+$' }),
    default: '127.0.0.1',
    allowed: 'an address or the name of a host',
    doc: 'the address to listen at',
  },
  PORT: {
    option: 'port',
    schema: Type.Integer({ minimum: 0, maximum: 65_535 }),
    default: 3000,
    doc: 'the port to listen at; 0 takes any that is free',
  },
  DEBUG: {
    option: 'debug',
    schema: Type.Boolean(),
    default: false,
    doc: 'logs every SQL statement with its duration, its parameters masked, and lowers `LOG_LEVEL` to `debug`',
  },
  LOG_LEVEL: {
    option: 'logLevel',
    schema: Type.Enum(logLevels),
    default: 'info',
    doc: 'the least level that is logged',
  },
  LOG_FILE: {
    option: 'logFile',
    schema: Type.String({ minLength: 1 }),
    allowed: 'the path of a file',
    doc: 'logs to files too: `./app.log` makes `./app.1.log`, and a new one each day and after 50 MB; 14 are kept beside the current one',
  },
  CORS_ORIGINS: {
    option: 'corsOrigins',
    schema: Type.Array(Type.String({ pattern: '^(\\*|https?://[\\w.\\[\\]:-]+)$' })),
    default: [],
    allowed: 'origins such as https://app.example.com, with commas between them, or *',
    doc: 'pages of these origins may use the API in a browser; none unless said',
  },
  RATE_LIMIT_ENABLED: {
    option: 'rateLimit',
    schema: Type.Boolean(),
    default: false,
    doc: 'limits how many requests a caller may make',
  },
  RATE_LIMIT_REQUESTS: {
    option: 'rateLimit.requests',
    schema: Type.Integer({ minimum: 1, maximum: 1_000_000_000 }),
    default: 100,
    doc: 'how many, in a period',
  },
  RATE_LIMIT_PERIOD: {
    option: 'rateLimit.period',
    schema: Type.Integer({ minimum: 1, maximum: day }),
    default: 60,
    doc: 'the period, in seconds; it begins with the caller’s first request',
  },
  SECRET_KEY: {
    option: 'secretKey',
    schema: Type.String({ minLength: 32 }),
    allowed: 'at least 32 characters, random',
    doc: 'signs what the server hands out; for authentication',
    secret: () => mask,
  },
  ACCESS_TOKEN_EXPIRE_MINUTES: {
    option: 'accessTokenExpireMinutes',
    schema: Type.Integer({ minimum: 1, maximum: 1440 }),
    default: 15,
    doc: 'how long an access token holds, in minutes; for authentication',
  },
  REFRESH_TOKEN_EXPIRE_DAYS: {
    option: 'refreshTokenExpireDays',
    schema: Type.Integer({ minimum: 1, maximum: 365 }),
    default: 7,
    doc: 'how long a refresh token holds, in days; for authentication',
  },
  FIRST_ADMIN_EMAIL: {
    option: 'firstAdministrator.email',
    schema: Type.String({ pattern: '^\\S+@\\S+$' }),
    allowed: 'an e-mail address',
    doc: 'who may do everything in a database that has no users yet; for authentication',
  },
  FIRST_ADMIN_PASSWORD: {
    option: 'firstAdministrator.password',
    schema: Type.String({ minLength: 1 }),
    allowed: 'a password that the rules for passwords let through',
    doc: 'their password, to be changed after the first sign-in; for authentication',
    secret: () => mask,
  },
  TRUST_PROXY: {
    option: 'trustProxy',
    schema: Type.String({ pattern: '^[\\w.:/]+(\\s*,\\s*[\\w.:/]+)*$' }),
    allowed: 'addresses and networks with commas between them, or loopback, linklocal, uniquelocal',
    doc: 'the proxies whose word on the client’s address is taken from `X-Forwarded-For`; nobody’s unless said',
  },
  AUDIT_CHECKPOINT_KEY: {
    option: 'auditCheckpoints.key',
    schema: Type.String({ pattern: '^-----BEGIN ' }),
    allowed: 'an Ed25519 private key in PEM form, whose lines may end with \\n',
    doc: 'signs checkpoints of the audit log',
    secret: () => mask,
  },
  AUDIT_CHECKPOINT_FILE: {
    option: 'auditCheckpoints.file',
    schema: Type.String({ minLength: 1 }),
    allowed: 'the path of a file',
    doc: 'gets a line for each checkpoint, one an hour while the log goes on',
  },
} as const satisfies Record<string, SettingRow>

export type SettingName = keyof typeof settingsTable

/** All settings, by the names of their variables. */
export const settingNames = Object.keys(settingsTable) as readonly SettingName[]

/** A row by name, in the type that they share. */
export function settingRow(name: SettingName): SettingRow {
  return settingsTable[name]
}

/** What a value of a setting is, in words that follow "is". */
export function allowedValue(name: SettingName): string {
  const { allowed, schema } = settingRow(name)
  if (allowed !== undefined) return allowed
  // TypeBox's types say nothing of the members of a schema that is not known.
  const { type, minimum, maximum, minLength, maxLength, enum: values } = schema as Readonly<Record<string, unknown>>
  if (Array.isArray(values)) return `one of ${values.join(', ')}`
  if (type === 'boolean') return 'true or false'
  if (type === 'integer') return `a whole number from ${minimum} to ${maximum}`
  return `text of ${minLength} to ${maxLength} characters`
}
