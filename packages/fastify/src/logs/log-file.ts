import { once } from 'node:events'
import { createRequire } from 'node:module'
import { UsageError } from '@strongroom/core'
import { type ByteStream, counted, type PinoStream, streamWaits } from './byte-stream.ts'

/** Bytes for a file that is written beside the program, and its end. */
export interface LogFile extends ByteStream {
  /** Brings what is still in memory to the file, and closes it. What comes later is lost. */
  close(): Promise<void>
}

/** The part of pino-roll's stream that is used; the package has no types. */
interface RollStream extends PinoStream {
  end(): void
}

interface RollOptions {
  readonly file: string
  readonly mkdir: true
  readonly sync: false
  readonly contentMode: 'buffer'
  readonly minLength: number
  readonly frequency: 'daily'
  readonly size: string
  readonly limit: { readonly count: number; readonly removeOtherLogFiles: boolean }
}

const require = createRequire(import.meta.url)

/** Files of one day, and of 50 MB at most; 14 of them stay beside the one that is written. */
const rotation = { frequency: 'daily', size: '50m', limit: { count: 14, removeOtherLogFiles: true } } as const

/** Opens a log file, with its folder. `./app.log` is written as `./app.1.log` and so on. Throws UsageError `invalid_settings`. */
export async function openLogFile(path: string): Promise<LogFile> {
  const stream = await open(path)
  const bytes = counted(stream)
  let closed = false
  // A full disk must not end the server; the console has the lines too.
  stream.on('error', (error: Error) => process.stderr.write(`strongroom: the log file cannot be written: ${error.message}\n`))
  return {
    write: (some) => closed || bytes.write(some),
    flush: () => !closed && bytes.flush(),
    close: async () => {
      if (closed) return
      closed = true
      const ended = once(stream, 'close')
      stream.end()
      await ended
    },
  }
}

async function open(path: string): Promise<RollStream> {
  try {
    const buildRoll: (options: RollOptions) => Promise<RollStream> = require('pino-roll')
    const stream = await buildRoll({
      file: path,
      mkdir: true,
      sync: false,
      contentMode: 'buffer',
      minLength: streamWaits,
      ...rotation,
    })
    await once(stream, 'ready')
    return stream
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError('invalid_settings', `The log file ${path} cannot be written (${reason}). Choose another LOG_FILE.`, { cause })
  }
}
