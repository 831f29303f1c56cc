import { defineModel, ModelAccessor, type Storage } from '@strongroom/core'
import { Type } from 'typebox'

const Note = defineModel(
  'notes',
  { title: Type.String(), kind: Type.String(), written: Type.Integer(), edition: Type.Integer() },
  { indexes: [['kind', 'written']] },
)

/** The accessor of the records that the log tells of. */
export function makeNotes(): ModelAccessor<typeof Note> {
  return new ModelAccessor(Note, 'notes')
}

/** What there is to ask for in a log. */
export interface SeededLog {
  /** A record with a few entries. */
  readonly id: number
  /** An instant after which 1,000 changes came. */
  readonly before: string
  readonly actor: string
  readonly request: string
}

/** Entries of each record: it is made, and changed four times. */
const editions = 5
/** Records that are written together. */
const together = 5_000
/** Changes after the instant. */
const later = 1_000
const actors = 10

/** Who made the changes after the instant, by the id of their request. */
const lastRequest = 'later'

/** Fills a log by writes like any others, so that its chain holds; one that an earlier run has filled is taken as it is. */
export async function seedLog(
  storage: Storage,
  notes: ModelAccessor<typeof Note>,
  entries: number,
  report: (line: string) => void,
): Promise<SeededLog> {
  const filled = await storage.audit.findOne({ request_id: lastRequest })
  if (filled) return seeded(new Date(filled.timestamp.getTime() - 1).toISOString())
  const records = Math.floor(entries / editions)
  const by = (part: number): { actor: string; requestId: string } => ({ actor: `writer-${part % actors}`, requestId: `request-${part}` })
  for (let edition = 0; edition < editions; edition++) {
    for (let first = 0; first < records; first += together) {
      const part = edition * Math.ceil(records / together) + first / together
      const last = Math.min(first + together, records)
      if (edition === 0) await notes.insertMany(rowsFrom(first, last), by(part))
      else await notes.updateMany({ id: { gt: first, lte: last } }, { edition }, by(part))
    }
    report(`${(records * (edition + 1)).toLocaleString('en')} entries`)
  }
  await storage.audit.waitUntilSealed()
  const before = await nextInstant()
  // Spread over all records.
  const step = Math.max(1, Math.floor(records / later))
  const ids = Array.from({ length: later }, (_, index) => ((index * step) % records) + 1)
  await notes.updateMany({ id: { in: ids } }, { edition: editions }, { actor: 'writer-0', requestId: lastRequest })
  await storage.audit.waitUntilSealed()
  return seeded(before)
}

function seeded(before: string): SeededLog {
  return { id: 1, before, actor: 'writer-3', request: 'request-3' }
}

function rowsFrom(first: number, last: number): { title: string; kind: string; written: number; edition: number }[] {
  return Array.from({ length: last - first }, (_, index) => {
    const number = first + index
    return { title: `Note ${number}`, kind: number % 3 === 0 ? 'letter' : 'memo', written: (number * 7_919) % 1_000_003, edition: 0 }
  })
}

/** An instant before and after which the clock has gone on. */
async function nextInstant(): Promise<string> {
  const time = Date.now()
  while (Date.now() <= time + 1) await new Promise((resolve) => setImmediate(resolve))
  const instant = new Date()
  while (Date.now() <= instant.getTime() + 1) await new Promise((resolve) => setImmediate(resolve))
  return instant.toISOString()
}
