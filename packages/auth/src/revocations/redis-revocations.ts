import { refuse } from '../refuse.ts'
import type { RevocationStore } from './revocation-store.ts'

/** What is needed of a Redis client, whichever it is. */
export interface RedisCommands {
  /** Sends one command and answers its reply: `(...words) => client.sendCommand(words)` of `redis`, `(...words) => client.call(...words)` of `ioredis`. */
  sendCommand(...words: string[]): Promise<unknown>
  /** Stands before every key; `strongroom:revoked:` unless said. */
  readonly prefix?: string
}

/**
 * Keeps revocations in Redis, which forgets them by itself. Give it a Redis that keeps what it acknowledged (`appendonly yes`,
 * `maxmemory-policy noeviction`): what it forgets is let in again, for as long as access tokens live.
 *
 * @example
 * const client = await createClient({ url: 'redis://127.0.0.1:6379' }).connect()
 * const revocations = redisRevocations({ sendCommand: (...words) => client.sendCommand(words) })
 * passwordAuthentication({ revocations })
 */
export function redisRevocations(commands: RedisCommands): RevocationStore {
  if (typeof commands?.sendCommand !== 'function')
    refuse('redisRevocations takes { sendCommand }, e.g. (...words) => client.sendCommand(words) of the package redis.')
  const { prefix = 'strongroom:revoked:' } = commands
  return {
    revoke: async (ids, until) => {
      const lifetime = String(Math.max(1, until.getTime() - Date.now()))
      const replies = await Promise.all(ids.map((id) => commands.sendCommand('SET', `${prefix}${id}`, '1', 'PX', lifetime)))
      if (!replies.every((reply) => String(reply) === 'OK')) throw new Error('Redis did not store what was revoked.')
    },
    findRevoked: async (ids) => {
      const found = await commands.sendCommand('MGET', ...ids.map((id) => `${prefix}${id}`))
      if (!Array.isArray(found) || found.length !== ids.length) throw new Error('Redis did not answer what was asked.')
      return ids.filter((_, index) => found[index] !== null)
    },
  }
}
