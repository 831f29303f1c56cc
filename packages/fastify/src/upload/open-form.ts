import type { IncomingHttpHeaders } from 'node:http'
import { Busboy, type BusboyInstance } from '@fastify/busboy'
import { StrongroomError } from '@strongroom/core'

/** Header lines of a part, and their bytes. */
const limits = { headerPairs: 20, headerSize: 8192, fieldSize: 1024 }

/** A reader of a form's parts. Throws `bad_request` where the request names no boundary. */
export function openForm(headers: IncomingHttpHeaders): BusboyInstance {
  try {
    return new Busboy({ headers: { ...headers, 'content-type': headers['content-type'] ?? '' }, limits })
  } catch (cause) {
    throw new StrongroomError('bad_request', 'The Content-Type of the form names no boundary.', { cause })
  }
}

/** A name for a sentence. */
export function shown(name: string | undefined): string {
  return (name ?? '').slice(0, 50)
}

/** What went wrong with a form in a sentence; errors that are ours, or of the disk, as they are. */
export function formError(error: unknown): unknown {
  if (error instanceof StrongroomError || isOfDisk(error)) return error
  return new StrongroomError('bad_request', 'The form cannot be read: it ends too early, or is malformed.', { cause: error })
}

/** Errors of the connection have become ones of ours before. */
function isOfDisk(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
