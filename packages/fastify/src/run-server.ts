import { StrongroomError } from '@strongroom/core'
import type { FastifyInstance } from 'fastify'

/**
 * Runs a server as a program of its own: says where it can be asked, or why it does not start, and then the process ends with 1. What a person
 * can set right is one sentence; anything else comes with its stack.
 *
 * @param start makes the server, as `createServer` does
 * @param announce what is printed when it listens, of its address
 * @example
 * await runServer(() => createServer({ accessors: [users] }), (origin) => `The users are at ${origin}/users`)
 */
export async function runServer(start: () => Promise<FastifyInstance>, announce: (origin: string) => string): Promise<void> {
  try {
    const { listeningOrigin } = await start()
    console.log(announce(listeningOrigin))
  } catch (error) {
    console.error(error instanceof StrongroomError ? error.message : error)
    process.exitCode = 1
  }
}
