import { type EventEmitter, once } from 'node:events'
import { createRequire } from 'node:module'
import { UsageError } from '@strongroom/core'

/** Where lines go. */
export interface LineStream {
  write(line: string): unknown
}

/** A log file that is written beside the program, and its end. */
export interface LogFile extends LineStream {
  /** Brings what is still in memory to the file, and closes it. Lines that come later are lost. */
  close(): Promise<void>
}

/** The part of pino-roll's stream that is used; the package has no types. */
interface RollStream extends EventEmitter, LineStream {
  end(): void
  flush(): void
}

interface RollOptions {
  readonly file: string
  readonly mkdir: true
  readonly sync: false
  readonly minLength: number
  readonly frequency: 'daily'
  readonly size: string
  readonly limit: { readonly count: number; readonly removeOtherLogFiles: boolean }
}

const require = createRequire(import.meta.url)

/** Lines wait for others until there are so many bytes, or milliseconds have passed: a write for every tenth line cost a fourteenth of a small GET (measured). The stream takes no more than 16 KiB. */
export const batching = { bytes: 15_000, milliseconds: 100 } as const

/** Files of one day, and of 50 MB at most; 14 of them stay beside the one that is written. */
const rotation = { frequency: 'daily', size: '50m', limit: { count: 14, removeOtherLogFiles: true } } as const

/** Opens a log file, with its folder. `./app.log` is written as `./app.1.log` and so on. Throws UsageError `invalid_settings`. */
export async function openLogFile(path: string): Promise<LogFile> {
  const stream = await open(path)
  let closed = false
  // The stream's own timer goes on, and throws, where the file could not be opened.
  const flushing = setInterval(() => stream.flush(), batching.milliseconds).unref()
  // A full disk must not end the server; the console has the lines too.
  stream.on('error', (error: Error) => process.stderr.write(`strongroom: the log file cannot be written: ${error.message}\n`))
  return {
    write: (line) => closed || stream.write(line),
    close: async () => {
      if (closed) return
      closed = true
      clearInterval(flushing)
      const ended = once(stream, 'close')
      stream.end()
      await ended
    },
  }
}

async function open(path: string): Promise<RollStream> {
  try {
    const buildRoll: (options: RollOptions) => Promise<RollStream> = require('pino-roll')
    const stream = await buildRoll({ file: path, mkdir: true, sync: false, minLength: batching.bytes, ...rotation })
    await once(stream, 'ready')
    return stream
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError('invalid_settings', `The log file ${path} cannot be written (${reason}). Choose another LOG_FILE.`, { cause })
  }
}
