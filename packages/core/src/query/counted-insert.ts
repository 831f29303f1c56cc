import type { Codec, Statement } from '../engine/engine.ts'
import { type BoundTable, encodedBy, type FieldValues } from './bound-table.ts'
import { bind, type Shape, Slot, shapeOf } from './shape.ts'

/** How records go into a table whose ids the database counts: found once. */
interface InsertPlan {
  readonly names: readonly string[]
  /** How the values of each column get the engine's form; undefined where they have it. */
  readonly encoders: readonly (Codec['encode'] | undefined)[]
  /** Which of them is the row_version. */
  readonly versionAt: number
  /** By the number of records. */
  readonly shapes: Readonly<Record<InsertMode, Map<number, Shape>>>
}

/** `orFail`: nothing is kept to undo the statement alone. */
type InsertMode = 'plain' | 'orFail'

const plans = new WeakMap<BoundTable, InsertPlan>()

function planOf(table: BoundTable): InsertPlan {
  const known = plans.get(table)
  if (known) return known
  const { model } = table
  const names = model.fields.map(({ name }) => name).filter((name) => name !== model.id.name)
  const plan = {
    names,
    encoders: names.map((name) => table.encoder(name)),
    versionAt: names.indexOf(model.rowVersion.name),
    shapes: { plain: new Map<number, Shape>(), orFail: new Map<number, Shape>() },
  }
  plans.set(table, plan)
  return plan
}

function shapeFor({ model, engine }: BoundTable, { names, shapes }: InsertPlan, mode: InsertMode, count: number): Shape {
  const known = shapes[mode].get(count)
  if (known) return known
  const row = (record: number) => Object.fromEntries(names.map((name, index) => [name, new Slot(record * names.length + index)]))
  const query = engine.builder.insertInto(model.name).values(Array.from({ length: count }, (_, record) => row(record)))
  const shape = shapeOf((mode === 'orFail' && engine.capabilities.insertOrFail ? query.orFail() : query).compile())
  shapes[mode].set(count, shape)
  return shape
}

/** The statement that inserts records without their ids, which the database counts; `versions` are theirs, in the same order. */
export function countedInsert(
  table: BoundTable,
  records: readonly FieldValues[],
  versions: readonly string[],
  mode: InsertMode = 'plain',
): Statement {
  const plan = planOf(table)
  const { names, encoders, versionAt } = plan
  const values: unknown[] = []
  records.forEach((record, index) => {
    for (let place = 0; place < names.length; place++) {
      values.push(place === versionAt ? versions[index] : encodedBy(encoders[place], record[names[place] ?? '']))
    }
  })
  return bind(shapeFor(table, plan, mode, records.length), values)
}
