import type { IncomingMessage } from 'node:http'
import { StrongroomError } from '@strongroom/core'
import { takesItsTime } from './slow-sockets.ts'

/** Milliseconds that an upload may bring nothing, before its connection is cut. */
const patience = 60_000

/** The body of a request, no faster than it is taken. The request itself stays open: it is still to be answered. */
export async function* requestBytes(request: IncomingMessage, most: number, tooLarge: () => Error): AsyncGenerator<Uint8Array> {
  const done = takesItsTime(request.socket)
  const stalled = setTimeout(() => request.destroy(new Error('The upload has stalled.')), patience)
  let bytes = 0
  try {
    // A request without an encoding hands out buffers.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      stalled.refresh()
      bytes += chunk.length
      if (bytes > most) throw tooLarge()
      yield chunk
    }
  } catch (error) {
    if (error instanceof StrongroomError) throw error
    throw new StrongroomError('bad_request', 'The upload was cut off.', { cause: error })
  } finally {
    clearTimeout(stalled)
    done()
  }
}
