import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

/** Headers of answers that scripts of other origins may read. */
const exposed = [
  'Link',
  'X-Next-Cursor',
  'X-Previous-Cursor',
  'X-Total-Count',
  'Content-Range',
  'ETag',
  'Location',
  'Idempotent-Replayed',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'X-Request-Id',
  'X-Trace-Id',
]

/** Seconds that a browser may remember what it was told of a path. */
const remembered = 600

/** Lets pages of these origins use the server in a browser; none where there are none. No cookie is meant, so none is allowed. */
export async function answerOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return
  await app.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: exposed,
    maxAge: remembered,
    // An OPTIONS request that asks for nothing is answered like any other path.
    strictPreflight: false,
  })
}
