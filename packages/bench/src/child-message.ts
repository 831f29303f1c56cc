import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** The next message of a process; throws when it ends before. */
export async function messageOf(child: ChildProcess): Promise<unknown> {
  const over = new AbortController()
  const { signal } = over
  const ended = once(child, 'exit', { signal }).then(([code]) =>
    Promise.reject(new Error(`a process of the bench ended with ${String(code)}`)),
  )
  ended.catch(() => undefined)
  const [message]: unknown[] = await Promise.race([once(child, 'message', { signal }), ended])
  over.abort()
  return message
}
