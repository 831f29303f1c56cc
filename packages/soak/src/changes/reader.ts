import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs'
import { createClient } from '@strongroom/client'

/**
 * A reader of the feed: `node reader.ts URL FILE client|poll`. It writes a line for each thing that it is told, and when it comes back it
 * goes on after the last whole line: it knows nothing else, as a program that was killed.
 */
const [, , baseUrl = '', file = '', kind] = process.argv

/** The place of the last whole line; half of one is what was being written when it was killed. */
function lastPlace(): string {
  if (!existsSync(file)) return 'start'
  const text = readFileSync(file, 'utf8')
  const end = text.lastIndexOf('\n') + 1
  truncateSync(file, Buffer.byteLength(text.slice(0, end)))
  return text.slice(0, end).trimEnd().split('\n').at(-1)?.split(' ')[1] ?? 'start'
}

const note = (what: 'change' | 'reset', place: string, entry: number | undefined): void => {
  appendFileSync(file, `${what} ${place} ${entry ?? ''}\n`)
}

async function follow(): Promise<void> {
  const client = createClient<Record<never, never>>({ baseUrl, retries: { attempts: 1_000, maxDelay: 200 } })
  for await (const event of client.db.changes({ after: lastPlace() }))
    note(event.type, event.id, event.type === 'change' ? event.entry.id : undefined)
}

interface Page {
  readonly changes: readonly { readonly id: number; readonly position: number }[]
  readonly next: string
  readonly reset: boolean
}

async function poll(): Promise<void> {
  const headers = { accept: 'application/json', prefer: 'wait=5' }
  for (let after = lastPlace(); ; ) {
    const answer = await fetch(`${baseUrl}/db/changes?limit=50&after=${after}`, { headers }).catch(() => undefined)
    if (!answer?.ok) continue
    const { changes, next, reset } = (await answer.json()) as Page
    const [epoch] = next.split(':')
    // What stands in one answer is written down together: a page that was half written would be asked for again.
    const lines = changes.map(({ id, position }) => `change ${epoch}:${position} ${id}\n`)
    if (reset) lines.unshift(`reset ${epoch}:${Number(changes[0]?.position ?? Number(next.split(':')[1]) + 1) - 1} \n`)
    if (lines.length > 0) appendFileSync(file, lines.join(''))
    after = next
  }
}

await (kind === 'poll' ? poll() : follow())
