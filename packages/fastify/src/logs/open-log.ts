import { UsageError } from '@strongroom/core'
import type { FastifyBaseLogger, FastifyServerOptions } from 'fastify'
import pino, { type LoggerOptions } from 'pino'
import { batching, type LineStream, type LogFile, openLogFile } from './log-file.ts'
import type { Redactor } from './redact.ts'

/** How the log is written. */
export interface LogOptions {
  readonly level: string
  /** The path of a file; none where it is undefined. */
  readonly file: string | undefined
  /** Fastify's `logger` option. */
  readonly logger: FastifyServerOptions['logger']
  readonly redactor: Redactor
}

/** A logger and what it holds open. */
export interface Log {
  readonly logger: FastifyBaseLogger
  /** Brings everything to its place. */
  close(): Promise<void>
}

/** Opens the log: lines of JSON on the console, for people where NODE_ENV is development, and in a file where one is wanted. */
export async function openLog({ level, file, logger: given, redactor }: LogOptions): Promise<Log> {
  if (given === false) return { logger: pino({ level: 'silent' }), close: async () => undefined }
  const { stream, ...overlay } = typeof given === 'object' ? given : {}
  if ('file' in overlay || 'transport' in overlay) {
    throw new UsageError(
      'invalid_options',
      'logger takes the options of pino, and stream. Say logFile for a file; a transport of your own is a stream too.',
    )
  }
  const opened = file === undefined ? undefined : await openLogFile(file)
  const console = stream ? asFile(stream) : await openConsole()
  const options = { ...baseOptions(level, redactor), ...overlay } as LoggerOptions
  return { logger: pino(options, both(console, opened)), close: async () => void (await Promise.all([console.close(), opened?.close()])) }
}

/** The logger's own level decides, and the streams take everything. */
function both(console: LineStream, file: LogFile | undefined): LineStream {
  if (!file) return console
  return {
    write: (line) => {
      console.write(line)
      file.write(line)
    },
  }
}

function baseOptions(level: string, redactor: Redactor): LoggerOptions {
  return {
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label) => ({ level: label }),
      log: (logged) => redactor.redact(logged),
    },
    serializers: {
      // The serializer answers a plain object, in a type that says more of it.
      err: (error: Error) => redactor.redactError({ ...pino.stdSerializers.err(error) }),
    },
    hooks: { streamWrite: (line) => redactor.scrub(line) },
  }
}

async function openConsole(): Promise<LogFile> {
  const { fd } = process.stdout
  if (process.env['NODE_ENV'] === 'development') {
    try {
      const { default: pretty } = await import('pino-pretty')
      return asFile(pretty({ destination: fd, sync: true, ignore: 'pid,hostname' }))
    } catch {
      // The package is optional: without it lines stay JSON.
    }
  }
  return batched(fd)
}

/** What has not been written is written at the end, of a process that ends by itself too; what comes after the end, at once. */
function batched(fd: number): LogFile {
  const stream = pino.destination({ dest: fd, sync: false, minLength: batching.bytes, periodicFlush: batching.milliseconds })
  let closed = false
  return {
    write: (line) => (closed ? process.stdout : stream).write(line),
    close: async () => {
      closed = true
      stream.flushSync()
      stream.end()
    },
  }
}

function asFile(stream: LineStream): LogFile {
  return { write: (line) => stream.write(line), close: async () => undefined }
}
