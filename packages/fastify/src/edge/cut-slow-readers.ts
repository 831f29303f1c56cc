import type { FastifyInstance } from 'fastify'

/**
 * Cuts the connection of a client that takes nothing of its answer for so many milliseconds, while there is something to take. Work that
 * takes long before it answers, and streams with nothing to say, are spared.
 */
export function cutSlowReaders(app: FastifyInstance, limit: number): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    const { socket } = request.raw
    // Requests that are injected have no connection.
    if (typeof socket.setTimeout === 'function' && !socket.destroyed) {
      socket.setTimeout(limit)
      reply.raw.on('timeout', () => {
        if (socket.writableLength > 0) socket.destroy()
        else socket.setTimeout(limit)
      })
    }
    done(null, payload)
  })
}
