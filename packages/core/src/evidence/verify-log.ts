import { type CheckedEntry, type CheckedHead, LogCheck, type WaitingEntry } from '../audit/log-check.ts'
import type { AuditFault } from '../audit/log-fault.ts'
import type { Codec, DatabasePlace, Snapshot, Statement, StoredRow } from '../engine/engine.ts'
import { openSnapshot } from '../engine/open-snapshot.ts'
import { StorageUnavailableError } from '../errors.ts'
import { ownPace } from '../transfer/worker/pace.ts'
import type { Checkpoint } from './checkpoint.ts'
import { CheckpointHolder, type HeldCheckpoint } from './hold-checkpoints.ts'
import { type PlacedReading, placedEntries } from './placed-entries.ts'

/** What came of looking through a log. */
export interface AuditVerdict {
  /** Whether nothing is wrong. */
  readonly ok: boolean
  readonly origin: string
  readonly epoch: number
  /** The position up to which everything was looked at. */
  readonly position: number
  /** Entries that were looked at. */
  readonly entries: number
  /** Entries without payload, as an `erase` entry behind them says. */
  readonly erased: number
  /** Entries that wait for their seal: nothing protects them yet. */
  readonly unsealed: number
  /** The first position that is kept, where entries were removed by retention; else null. */
  readonly retained_below: number | null
  /** The first thing that is wrong. */
  readonly fault: AuditFault | null
  /** What the checkpoints say that it was held against. */
  readonly checkpoints: readonly HeldCheckpoint[]
}

/** A log to look through, as another thread is asked for it. */
export interface VerifyTask {
  readonly place: DatabasePlace
  readonly head: Statement
  /** Entries with a place. */
  readonly placed: PlacedReading
  /** Entries without one, by id. */
  readonly waiting: Statement
  /** No entry may be without its place. */
  readonly allPlaced: boolean
  readonly checkpoints: readonly Checkpoint[]
}

/** Rows that are read at a time: the work of half a millisecond. */
const chunkSize = 100

/** Looks through a log, as it is at one moment. On SQLite it blocks the thread. */
export async function verifyLog(task: VerifyTask): Promise<AuditVerdict> {
  const snapshot = await openSnapshot(task.place)
  try {
    const head = await readHead(snapshot, task.head)
    const holder = new CheckpointHolder(task.checkpoints, head)
    const check = new LogCheck(head, (reached) => holder.at(reached))
    holder.start(check)
    const read = entryReader(snapshot)
    let unsealed = 0
    // What they say of erasures has to be known before the entries that were erased are looked at.
    for await (const rows of snapshot.stream(task.waiting, chunkSize)) {
      unsealed += rows.length
      // A row of these columns has these types.
      for (const row of rows) check.addWaiting(row as unknown as WaitingEntry, task.allPlaced)
    }
    for await (const rows of placedEntries(snapshot, task.placed, chunkSize)) {
      if (check.fault) break
      for (const row of rows) check.add(read(row))
      await ownPace.step()
    }
    check.end()
    const checkpoints = holder.end(check)
    const { entries, erased, position, fault = null } = check
    const { origin, epoch, retained_below } = head
    return {
      ...{ ok: fault === null, origin, epoch, position, entries, erased, unsealed },
      retained_below: retained_below > 1 ? retained_below : null,
      fault,
      checkpoints,
    }
  } finally {
    await snapshot.close()
  }
}

async function readHead(snapshot: Snapshot, statement: Statement): Promise<CheckedHead> {
  const found: StoredRow[] = []
  for await (const rows of snapshot.stream(statement, 1)) found.push(...rows)
  const [row] = found
  // A row of these columns has these types; no log had none of an origin.
  if (row) return row as unknown as CheckedHead
  throw new StorageUnavailableError('storage_unavailable', 'The audit log has lost its head row. Restore the database from a backup.')
}

function entryReader(snapshot: Snapshot): (row: StoredRow) => CheckedEntry {
  const { decode } = snapshot.codec({ kind: 'datetime' })
  const [timestamp, effectiveAt] = [instantText(decode), instantText(decode)]
  return (row) => {
    row['timestamp'] = timestamp(row['timestamp'])
    row['effective_at'] = effectiveAt(row['effective_at'])
    // A forged one may be larger than numbers are told exactly, and comes as a bigint then.
    for (const name of ['id', 'seq', 'epoch']) if (typeof row[name] === 'bigint') row[name] = Number(row[name])
    // Bytes were asked for in hexadecimal, and the rest is itself.
    return row as unknown as CheckedEntry
  }
}

/** Instants as text. Entries that follow each other are often of the same one. */
function instantText(decode: Codec['decode']): (stored: unknown) => string {
  let last: unknown
  let text = ''
  return (stored) => {
    if (stored === last) return text
    last = stored
    text = (decode(stored) as Date).toISOString()
    return text
  }
}
