import { StrongroomError } from '@strongroom/core'
import type { FastifyReply } from 'fastify'
import { exposeHeaders } from '../reply.ts'

/** Says that the answer is a file for whoever asked, named by this moment: `backup-20260131T120000Z.sqlite`. */
export function announceFile(reply: FastifyReply, mediaType: string, kind: string, ending: string): FastifyReply {
  const moment = `${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}`
  exposeHeaders(reply, 'Content-Disposition, X-Request-Id')
  reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
  return reply.header('content-disposition', `attachment; filename="${kind}-${moment}.${ending}"`).type(mediaType)
}

/** Is aborted when the client goes away before it has its answer. */
export function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  const left = (): void => {
    if (!raw.writableFinished) gone.abort(clientGone())
  }
  // It may have gone while it was asked who it is.
  if (raw.destroyed) left()
  else raw.once('close', left)
  return gone.signal
}

/** Nobody reads this sentence but the log. */
export function clientGone(): StrongroomError {
  return new StrongroomError('bad_request', 'The client did not wait for the answer.')
}
