import { ForbiddenError } from '@strongroom/core'
import type { FastifyBaseLogger } from 'fastify'
import { expect, test, vi } from 'vitest'
import { eventStream } from '../src/changes/event-stream.ts'
import type { FeedReader } from '../src/changes/feed-reader.ts'

/** A caller of a feed in which nothing happens: each wait is over at once, and says how long it was to be. */
function quietFeed(check: () => void = () => undefined) {
  const asked: [string, number][] = []
  const ending = new AbortController()
  const reader: Pick<FeedReader, 'page' | 'wait' | 'check'> = {
    page: async (after = '1:0') => ({ reset: null, changes: [], next: after, isLast: true }),
    wait: async (place, timeout) => {
      asked.push([place, timeout])
      return false
    },
    check: async () => check(),
  }
  const error = vi.fn()
  const first = { reset: null, changes: [], next: '1:7', isLast: true }
  // The stream asks for no more of both than is there.
  const stream = eventStream(reader as FeedReader, first, { signal: ending.signal, log: { error } as unknown as FastifyBaseLogger })
  return { stream, asked, ending, error }
}

test('a feed in which nothing happens gives a sign of life every 15 seconds, and says where it stands', async () => {
  const { stream, asked, ending } = quietFeed()
  expect((await stream.next()).value).toBe('retry: 1000\nid: 1:7\n\n')
  for (let beat = 1; beat <= 3; beat++) {
    // A client keeps the id, and no event comes of it.
    expect((await stream.next()).value).toBe('id: 1:7\n\n')
    expect(asked).toEqual(Array.from({ length: beat }, () => ['1:7', 15_000]))
  }
  ending.abort()
  expect(await stream.next()).toEqual({ value: undefined, done: true })
})

test('with each sign of life it asks whether the caller may still follow, and ends where that is over', async () => {
  let beats = 0
  const { stream, error } = quietFeed(() => {
    if (++beats === 3) throw new ForbiddenError('no more')
  })
  const told: string[] = []
  for await (const text of stream) told.push(text)
  expect(told).toHaveLength(3)
  expect(error).not.toHaveBeenCalled()
})
