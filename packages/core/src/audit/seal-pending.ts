import type { Connection, StoredRow } from '../engine/engine.ts'
import type { Field } from '../model/model.ts'
import type { BoundTable } from '../query/bound-table.ts'
import { allOf, equals, oneOf } from '../query/filter.ts'
import { positionField } from '../query/log-position.ts'
import { selectRows } from '../query/rows.ts'
import { runTask, type Task, wait } from '../session/task.ts'
import { type ChainedEntry, later, placeNames, sealEntries } from './chain.ts'
import { readHead, writeHead } from './head-row.ts'
import { ofAnyComponent } from './positions.ts'

/** The log and its head, as tables of an open database. */
export interface LogTables {
  readonly log: BoundTable
  readonly head: BoundTable
}

/** Entries that get one link together: enough to make it cheap, few enough to hold in memory. */
const linkSize = 1_000

const leafColumns = [
  'id',
  'timestamp',
  'component',
  'record_id',
  'operation',
  'actor',
  'request_id',
  'transaction_id',
  'tenant',
  'schema_version',
  'payload_hash',
] as const

/** What came of a pass. */
export interface SealedEntries {
  readonly count: number
}

/**
 * Gives all committed entries that have no place yet their places behind the head, which stays locked until the unit ends: transactions by
 * their highest entry id, entries by id. For each record, and for what refers to it, that is the order of the writes: whoever changes a
 * record that another transaction has changed draws its ids after that one's commit. In constant memory.
 *
 * @param through no entry that is sealed later counts as done at this instant or before
 */
export function* sealPending({ log, head }: LogTables, connection: Connection, through?: Date): Task<SealedEntries> {
  const { engine, model } = log
  let stand = yield* readHead(head, connection, true)
  const columns = placeNames.map((name) => fieldOf(log, name))
  let count = 0
  const seal = function* (rows: readonly StoredRow[]): Task<void> {
    const doneAt = new Map(rows.map((row) => [Number(row['id']), log.decodeField('timestamp', row['own']) as Date]))
    const ids = [...doneAt.keys()]
    const found = new Map<number, ChainedEntry>()
    const options = { filter: oneOf('id', ids), includeDeleted: true, order: [], columns: leafColumns }
    // The rows were read through AuditLog, whose fields have these types.
    for (const row of yield* selectRows(log, connection, undefined, options)) found.set(row['id'] as number, row as unknown as ChainedEntry)
    const entries = [...doneAt].flatMap(([id, moment]) => {
      const entry = found.get(id)
      return entry ? [{ ...entry, id, doneAt: moment }] : []
    })
    const sealed = sealEntries(stand, entries)
    const values = sealed.places.map((place) => [place.id, ...placeNames.map((name) => place[name])])
    yield* wait(engine.setEach(connection, model.name, columns, values))
    stand = sealed.head
    count += entries.length
  }
  yield* wait(engine.inPieces(connection, pendingInOrder(log), linkSize, async (rows) => runTask(seal(rows))))
  if (through !== undefined) stand = { ...stand, effective_at: later(new Date(through.getTime() + 1), stand.effective_at) }
  if (count > 0 || through !== undefined) yield* writeHead({ log, head }, connection, stand, new Date())
  return { count }
}

function pendingInOrder({ engine, model }: BoundTable): string {
  return engine.builder
    .selectFrom(model.name)
    .select((eb) => {
      const ofTransaction = (name: string) => eb.fn.max(name).over((over) => over.partitionBy('transaction_id'))
      return ['id', ofTransaction('id').as('last'), ofTransaction('timestamp').as('own')]
    })
    .where('seq', 'is', null)
    .orderBy('last')
    .orderBy('id')
    .compile().sql
}

function fieldOf({ model }: BoundTable, name: string): Field {
  const field = model.fieldsByName.get(name)
  if (!field) throw new Error(`the log has no field ${name}`)
  return field
}

/** Whether some committed entry has no place yet. */
export function* hasPending({ log }: LogTables, connection: Connection): Task<boolean> {
  const filter = allOf(yield* ofAnyComponent(log, connection), equals(positionField, null))
  const options = { filter, includeDeleted: true, order: [], limit: 1, columns: ['id'] }
  return (yield* selectRows(log, connection, undefined, options)).length > 0
}
