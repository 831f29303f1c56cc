import type { FastifyServerOptions } from 'fastify'
import { type BootstrapOptions, bootstrapNames } from './options.ts'
import { refuse, refuseUnknown, wholeNumber } from './refuse.ts'

/** What `createServer` takes: the options of `bootstrap`, and those of a server of its own. */
export interface CreateServerOptions extends BootstrapOptions {
  /** The address to listen at; the variable HOST, then `127.0.0.1`, unless said. */
  readonly host?: string | undefined
  /** The port to listen at, 0 for any that is free; the variable PORT, then 3000, unless said. */
  readonly port?: number | undefined
  /** Fastify's logger option; information and above as JSON unless said. */
  readonly logger?: FastifyServerOptions['logger'] | undefined
  /** Milliseconds within which a request has to be sent; 30000 unless said. */
  readonly requestTimeout?: number | undefined
  /** Milliseconds that running requests have to finish when the process is asked to stop; 10000 unless said. */
  readonly closeTimeout?: number | undefined
}

/** What the server itself needs, with every default filled in. */
export interface ServerOptions {
  readonly host: string
  readonly port: number
  readonly logger: NonNullable<FastifyServerOptions['logger']>
  readonly requestTimeout: number
  readonly closeTimeout: number
}

const serverNames = ['host', 'port', 'logger', 'requestTimeout', 'closeTimeout'] as const

/** Reads options and environment; what is given in code wins. Throws UsageError `invalid_options` that names what is bad. */
export function resolveServerOptions(
  options: CreateServerOptions,
  environment: Readonly<Record<string, string | undefined>>,
): { server: ServerOptions; bootstrap: BootstrapOptions } {
  refuseUnknown('createServer', options, [...bootstrapNames, ...serverNames])
  const { host, port, logger, requestTimeout, closeTimeout, ...bootstrap } = options
  const server = {
    host: host ?? (environment['HOST'] || '127.0.0.1'),
    port: port === undefined ? readPort(environment['PORT'] || '3000') : checkPort('port', port),
    logger: logger ?? true,
    requestTimeout: wholeNumber('requestTimeout', requestTimeout ?? 30_000),
    closeTimeout: wholeNumber('closeTimeout', closeTimeout ?? 10_000),
  }
  return { server, bootstrap }
}

function readPort(text: string): number {
  return checkPort('The variable PORT', /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN)
}

function checkPort(name: string, port: number): number {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  return refuse(`${name} is a whole number from 0 to 65535.`)
}
