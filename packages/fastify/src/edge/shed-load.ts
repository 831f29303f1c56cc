import { monitorEventLoopDelay } from 'node:perf_hooks'
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
/**
 * Milliseconds between two looks at how the process is, and between two that Node takes at the event loop. Each of those wakes the process: a
 * hundred in a second took as long as a hundred requests (measured).
 */
const every = { look: 1_000, sample: 100 } as const

/** Answers 503 while the server has more to do than it can do in time. Whoever asks whether it is alive is told so all the same. */
export function shedLoad(app: FastifyInstance, limits: Pressure): void {
  const delays = monitorEventLoopDelay({ resolution: every.sample })
  let isBusy = false
  delays.enable()
  const timer = setInterval(() => {
    // Nothing was sampled: the loop has not turned.
    const late = delays.count === 0 ? Number.POSITIVE_INFINITY : Math.max(0, delays.mean / 1e6 - every.sample)
    delays.reset()
    const { heapUsed, rss } = process.memoryUsage()
    isBusy = exceeds(late, limits.eventLoopDelay) || exceeds(heapUsed, limits.heapBytes) || exceeds(rss, limits.rssBytes)
  }, every.look).unref()
  app.addHook('onRequest', (request, _reply, done) => {
    done(isBusy && !isWatched(request) ? tooBusy() : undefined)
  })
  app.addHook('onClose', async () => {
    clearInterval(timer)
    delays.disable()
  })
}

function exceeds(value: number, limit: number): boolean {
  return limit > 0 && value > limit
}

function tooBusy(): StrongroomError {
  return new StrongroomError('server_busy', 'The server has more to do than it can do in time. Nothing was done; try again.', {
    retryAfter,
  })
}

function isWatched(request: FastifyRequest): boolean {
  const route = routeFactsOf(request)
  return route?.component === null && (route.operation === 'health' || route.operation === 'metrics')
}
