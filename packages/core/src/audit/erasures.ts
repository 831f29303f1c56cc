import { Type } from 'typebox'
import type { Connection } from '../engine/engine.ts'
import { defineSystemModel } from '../model/define-model.ts'
import { DateTime } from '../model/field-types.ts'
import { makeRowVersion } from '../model/row-version.ts'
import type { BoundTable } from '../query/bound-table.ts'
import { piecesOf } from '../query/shape.ts'
import { type Task, wait } from '../session/task.ts'

/** The records that were erased, by their names alone: a backup from before knows nothing of it, and a restore has to. */
export const Erasures = defineSystemModel(
  'strongroom_erasures',
  {
    component: Type.String(),
    record_id: Type.String(),
    /** The id of its last `erase` entry. */
    entry: Type.Integer(),
    erased_at: DateTime(),
  },
  { unique: [['component', 'record_id']] },
)

/** Records of one component. */
export interface ErasedRecords {
  readonly component: string
  readonly recordIds: readonly string[]
}

/** Records in one statement. */
const mostAtOnce = 200

/**
 * Takes the images, and what they were hashed with, out of every entry about the records. Their `erase` entries have to stand behind those: the
 * database itself asks for it. What was hashed stays, so that every entry still verifies.
 */
export function* erasePayloads(log: BoundTable, connection: Connection, { component, recordIds }: ErasedRecords): Task<void> {
  const { engine, model } = log
  for (const ids of piecesOf(recordIds, mostAtOnce)) {
    const statement = engine.builder
      .updateTable(model.name)
      .set({ before: null, after: null, salt: null })
      .where('component', '=', component)
      .where('record_id', 'in', ids)
      .where('operation', '<>', 'erase')
      .where('salt', 'is not', null)
      .compile()
    yield* wait(connection.run(statement))
  }
}

/**
 * Remembers that records were erased, each with its last `erase` entry: an older content does not have that one. Where something is erased once
 * more because it has come back (`again`), what was remembered of it stays: what came after the first erasure is not meant.
 */
export function* rememberErasures(
  { log, erasures }: { readonly log: BoundTable; readonly erasures: BoundTable },
  connection: Connection,
  { component, recordIds }: ErasedRecords,
  again: boolean,
): Task<void> {
  const { engine, model } = log
  const erasedAt = erasures.encode('erased_at', new Date())
  for (const recordId of recordIds) {
    const last = engine.builder
      .selectFrom(model.name)
      .select((eb) => eb.fn.max('id').as('entry'))
      .where('component', '=', component)
      .where('record_id', '=', recordId)
      .where('operation', '=', 'erase')
    const [row] = yield* wait(connection.all(last.compile()))
    const values = { entry: Number(row?.['entry']), erased_at: erasedAt, row_version: makeRowVersion() }
    const statement = engine.builder
      .insertInto(erasures.model.name)
      .values({ component, record_id: recordId, ...values })
      .onConflict((conflict) => {
        const known = conflict.columns(['component', 'record_id'])
        return again ? known.doNothing() : known.doUpdateSet(values)
      })
      .compile()
    yield* wait(connection.run(statement))
  }
}
