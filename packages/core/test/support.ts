import { type ChangeEvent, openStorage, type Storage, type StorageOptions } from '@strongroom/core'
import type { TestEngine } from '@strongroom/testkit'
import { afterAll, afterEach, expect } from 'vitest'

/** Opens storages in databases of their own, and closes them after each test, or after the suite. */
export function storagesOn(
  engine: TestEngine,
  lasting: 'test' | 'suite' = 'test',
): (accessors: StorageOptions['accessors'], options?: Partial<StorageOptions>) => Promise<Storage> {
  const opened: Storage[] = []
  const after = lasting === 'test' ? afterEach : afterAll
  after(async () => {
    for (const storage of opened.splice(0)) await storage.close()
  })
  return async (accessors, options = {}) => {
    const storage = await openStorage({ url: await engine.freshUrl(), accessors, ...options })
    opened.push(storage)
    return storage
  }
}

/** What a promise was rejected with; fails the test when it was not. */
export async function rejectionOf(promise: PromiseLike<unknown>): Promise<unknown> {
  const outcome = await Promise.resolve(promise).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('error' in outcome) return outcome.error
  return expect.unreachable(`resolved with ${JSON.stringify(outcome.value)?.slice(0, 1_000)} where an error was expected`)
}

/** Every change that whoever acts may read until now, of one component or of the log. */
export async function changesSoFar(storage: Storage, component?: string): Promise<ChangeEvent[]> {
  await storage.audit.waitUntilSealed()
  const events: ChangeEvent[] = []
  for (let after = 'start', isLast = false; !isLast; ) {
    const page = await storage.feed.page({ after, component, limit: 3 })
    for (const { id, entry } of page.changes) events.push({ type: 'change', id, entry })
    ;({ next: after, isLast } = page)
  }
  return events
}

/** A promise that somebody else settles. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

/** Everything that a stream gives. */
export async function everyOf<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of stream) all.push(item)
  return all
}
