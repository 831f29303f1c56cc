import { type ChangePage, StrongroomError } from '@strongroom/core'
import type { FastifyBaseLogger } from 'fastify'
import { wireEntry } from '../entries.ts'
import type { FeedReader } from './feed-reader.ts'

/** Milliseconds between two signs of life: proxies cut connections that say nothing for a minute. */
const heartbeat = 15_000

/** Changes that are read at a time. */
const pageSize = 200

/** Milliseconds after which a client comes back. */
const reconnection = 1_000

/**
 * Server-sent events for ever, beginning with a page that has been read: until the signal comes, or the caller may not go on. Then the
 * answer ends, and whoever comes back hears why. It reads on when what it gave has been taken.
 */
export async function* eventStream(
  reader: FeedReader,
  first: ChangePage,
  { signal, log }: { readonly signal: AbortSignal; readonly log: FastifyBaseLogger },
): AsyncGenerator<string, void, undefined> {
  yield `retry: ${reconnection}\n${first.changes.length === 0 && first.reset === null ? place(first.next) : '\n'}`
  try {
    for (let page = first; !signal.aborted; page = await reader.page(page.next, pageSize)) {
      yield* eventsOf(page)
      while (page.isLast && !signal.aborted && !(await reader.wait(page.next, heartbeat, signal))) {
        if (signal.aborted) return
        await reader.check()
        yield place(page.next)
      }
    }
  } catch (error) {
    if (!(error instanceof StrongroomError) || error.status === 500) log.error({ err: error }, 'A feed of changes was ended by a failure.')
  }
}

function* eventsOf({ reset, changes, next, isLast }: ChangePage): Generator<string, void, undefined> {
  if (reset !== null) yield event('reset', reset, { epoch: Number(reset.split(':', 1)[0]) })
  // One after the other: together they would be as large as the records of a page are.
  for (const { id, entry } of changes) yield event('change', id, wireEntry(entry))
  if (changes.length === 0 && !isLast) yield place(next)
}

function event(name: string, id: string, data: unknown): string {
  return `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/** An event without data is none; a client keeps its id all the same, and comes back with it. */
function place(id: string): string {
  return `id: ${id}\n\n`
}
