import { UsageError } from '@strongroom/core'
import type { FastifyBaseLogger, FastifyServerOptions } from 'fastify'
import pino, { type LoggerOptions } from 'pino'
import { type ByteStream, counted, streamWaits } from './byte-stream.ts'
import { LineBatch } from './line-batch.ts'
import { openLogFile } from './log-file.ts'
import type { Redactor } from './redact.ts'
import { requestLineWriter, type WriteRequestLine, writeByLogger } from './request-line.ts'

/** Where lines go. */
interface LineStream {
  write(line: string): unknown
}

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
  /** What writes the line of each request of a server, whose own logger is made of this one. */
  readonly requestLines: (server: FastifyBaseLogger) => WriteRequestLine
  /** Brings everything to its place. */
  close(): Promise<void>
}

/** Opens the log: lines of JSON on the console, for people where NODE_ENV is development, and in a file where one is wanted. */
export async function openLog({ level, file, logger: given, redactor }: LogOptions): Promise<Log> {
  if (given === false) return { logger: pino({ level: 'silent' }), requestLines: () => writeByLogger, close: async () => undefined }
  const { stream, ...overlay } = typeof given === 'object' ? given : {}
  if ('file' in overlay || 'transport' in overlay) {
    throw new UsageError(
      'invalid_options',
      'logger takes the options of pino, and stream. Say logFile for a file; a transport of your own is a stream too.',
    )
  }
  const opened = file === undefined ? undefined : await openLogFile(file)
  const shown = stream ?? (await prettyConsole())
  const console = shown ? undefined : batchedConsole()
  const streams = [console, opened].filter((one) => one !== undefined)
  const batch = streams.length > 0 ? new LineBatch(streams) : undefined
  const handOver = (): void => batch?.flush()
  // Before the streams write their rest, which they do when the process ends by itself too.
  if (console) process.prependListener('exit', handOver)
  const options = { ...baseOptions(level, redactor), ...overlay } as LoggerOptions
  const write = (line: string): void => {
    shown?.write(line)
    batch?.write(line)
  }
  const close = async (): Promise<void> => {
    batch?.close()
    process.removeListener('exit', handOver)
    console?.close()
    await opened?.close()
  }
  const logger = pino(options, { write })
  // Options of pino's change what a line looks like.
  const isOwn = Object.keys(overlay).length === 0
  const requestLines: Log['requestLines'] = (server) => (isOwn ? requestLineWriter(server, redactor, write) : writeByLogger)
  return { logger, requestLines, close }
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

/** For people, where the package for it is there: without it lines stay JSON. */
async function prettyConsole(): Promise<LineStream | undefined> {
  if (process.env['NODE_ENV'] !== 'development') return undefined
  try {
    const { default: pretty } = await import('pino-pretty')
    return pretty({ destination: process.stdout.fd, sync: true, ignore: 'pid,hostname' })
  } catch {
    return undefined
  }
}

/** What has not been written is written at the end, of a process that ends by itself too; what comes after the end, at once. */
function batchedConsole(): ByteStream & { close(): void } {
  const stream = pino.destination({ dest: process.stdout.fd, sync: false, contentMode: 'buffer', minLength: streamWaits })
  const bytes = counted(stream)
  let closed = false
  return {
    write: (some) => {
      if (closed) process.stdout.write(some)
      else bytes.write(some)
    },
    flush: () => !closed && bytes.flush(),
    close: () => {
      closed = true
      stream.flushSync()
      stream.end()
    },
  }
}
