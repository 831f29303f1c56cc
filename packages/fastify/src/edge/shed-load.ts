import underPressure from '@fastify/under-pressure'
import { StrongroomError } from '@strongroom/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { routeFactsOf } from '../request-facts.ts'

/** From when on a server refuses requests, so that it can answer some; 0 for never. */
export interface Pressure {
  /** Milliseconds that the event loop is late on average over a second. */
  readonly eventLoopDelay: number
  /** Bytes of JavaScript's heap. */
  readonly heapBytes: number
  /** Bytes of the whole process. */
  readonly rssBytes: number
}

/** Seconds after which a refused request is worth another try. */
const retryAfter = 2

/** Answers 503 while the server has more to do than it can do in time. Whoever asks whether it is alive is told so all the same. */
export async function shedLoad(app: FastifyInstance, { eventLoopDelay, heapBytes, rssBytes }: Pressure): Promise<void> {
  await app.register(underPressure, {
    maxEventLoopDelay: eventLoopDelay,
    maxHeapUsedBytes: heapBytes,
    maxRssBytes: rssBytes,
    pressureHandler: async (request: FastifyRequest) => {
      if (isWatched(request)) return
      throw new StrongroomError('server_busy', 'The server has more to do than it can do in time. Nothing was done; try again.', {
        retryAfter,
      })
    },
  })
}

function isWatched(request: FastifyRequest): boolean {
  const route = routeFactsOf(request)
  return route?.component === null && (route.operation === 'health' || route.operation === 'metrics')
}
