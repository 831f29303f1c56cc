import { setTimeout as pause } from 'node:timers/promises'
import { type CompiledQuery, sql } from 'kysely'
import type { Connection } from '../engine/engine.ts'
import type { BoundTable } from '../query/bound-table.ts'
import { runTask, type Task } from '../session/task.ts'
import { readHead } from './head-row.ts'
import { hasOwnIndex, lastUpTo } from './positions.ts'
import type { LogTables } from './seal-pending.ts'
import { type Sealer, sealingContext } from './sealer.ts'

/** Where the log stands. */
export interface LogStand {
  readonly epoch: number
  /** The last position; 0 in an empty log. */
  readonly position: number
  /** When the transaction at this position counts as done; null in an empty log. Later positions are never earlier. */
  readonly effectiveAt: Date | null
  /** The hash of the last link. */
  readonly hash: Uint8Array
}

/**
 * The one order of history. An entry's position (`seq`) is its place in it, its effective time (`effective_at`) never falls from one
 * position to the next, and all entries of a transaction have the same one. So `positionAt(t)` cuts history between two transactions:
 * what has that position or a lower one had happened at t, and the rest had not.
 *
 * On SQLite an entry has its position when its unit commits. On PostgreSQL it gets it within a second, from whichever instance seals:
 * `seq is null` until then. For each record the order of ids and the order of positions are the same.
 */
export class AuditOrder {
  readonly #tables: LogTables
  readonly #sealer: Sealer | undefined
  readonly #isInside: () => boolean
  readonly #listeners = new Set<() => void>()

  /** @param isInside whether the running code is in a unit of work, which would wait for itself */
  constructor(tables: LogTables, sealer: Sealer | undefined, isInside: () => boolean) {
    this.#tables = tables
    this.#sealer = sealer
    this.#isInside = isInside
  }

  /** Where the log stands now. */
  async head(): Promise<LogStand> {
    const { head } = this.#tables
    const { epoch, seq, effective_at, hash } = await head.engine.read((connection) => runTask(readHead(head, connection)))
    return { epoch, position: seq, effectiveAt: effective_at, hash }
  }

  /**
   * Waits until the history up to an instant is settled: every transaction that was committed by then has its position, and none that
   * commits later will count as done at that instant or before. An instant that is still to come is taken for now. In a unit of work, and
   * in a database that is only looked at, it does not wait. Throws what keeps the log from being sealed, e.g. StorageUnavailableError.
   */
  async waitUntilSealed(time: Date): Promise<void> {
    if (this.#isInside()) return
    const through = new Date(Math.min(time.getTime(), Date.now()))
    const { effectiveAt } = await this.head()
    if (effectiveAt !== null && effectiveAt.getTime() > through.getTime()) return
    if (this.#sealer) return await this.#sealer.seal(through)
    const { engine } = this.#tables.log
    if (!engine.capabilities.serialWrites) return
    // A transaction of the same millisecond would count as done by then.
    while (Date.now() <= through.getTime()) await pause(1)
    // Units run one after the other: those that began by then have ended when this one runs.
    await engine.write({ context: sealingContext, reach: 'every', alone: true, timeLimit: Number.POSITIVE_INFINITY, run: () => undefined })
  }

  /** The last position whose effective time is this instant or earlier; 0 where there is none. Ask after `waitUntilSealed`. */
  async positionAt(time: Date): Promise<number> {
    const { log } = this.#tables
    if (!hasOwnIndex(log)) return await log.engine.read((connection) => runTask(searchPosition(this.#tables, connection, time)))
    const statement = positionStatement(log, log.encode('effective_at', time))
    const [row] = await log.engine.read((connection) => connection.all(statement))
    return Number(row?.['seq'] ?? 0)
  }

  /** Calls back when entries may have got positions: a hint, which does not come for what other processes do. Answers how to stop it. */
  onSealed(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Tells the listeners. */
  readonly announce = (): void => {
    for (const listener of this.#listeners) listener()
  }
}

/** The same where positions have no index of their own: entry by entry. */
function* searchPosition({ log, head }: LogTables, connection: Connection, time: Date): Task<number> {
  let low = 0
  let high = (yield* readHead(head, connection)).seq
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    const entry = yield* lastUpTo(log, connection, middle)
    // What was removed came before.
    if (entry && entry.effective_at.getTime() > time.getTime()) high = middle - 1
    else low = middle
  }
  return (yield* lastUpTo(log, connection, low))?.seq ?? 0
}

/**
 * Looks for the last position whose effective time is not after `time`: these times never fall, so that some forty looks at the index of
 * positions find it among any number of entries, and none of their own has to be kept up by every write.
 */
function positionStatement({ model, engine }: BoundTable, time: unknown): CompiledQuery {
  const log = sql.table(model.name)
  // Of positions that a restore has passed over, and of those before the first, the entry before tells.
  const timeAt = (position: string) => sql`(SELECT effective_at FROM ${log} WHERE seq <= ${sql.raw(position)} ORDER BY seq DESC LIMIT 1)`
  return sql`WITH RECURSIVE
    sizes(size) AS (SELECT cast(1 AS bigint) UNION ALL SELECT size * 2 FROM sizes WHERE size <= (SELECT max(seq) FROM ${log})),
    looks(low, step) AS (
      SELECT cast(0 AS bigint), (SELECT max(size) FROM sizes)
      UNION ALL
      SELECT CASE WHEN ${timeAt('low + step')} > ${time} THEN low ELSE low + step END, step / 2 FROM looks WHERE step > 0
    )
    SELECT seq FROM ${log} WHERE seq <= (SELECT low FROM looks WHERE step = 0) ORDER BY seq DESC LIMIT 1`.compile(engine.builder)
}
