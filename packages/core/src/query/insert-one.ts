import type { Codec, Statement } from '../engine/engine.ts'
import { type BoundTable, encodedBy, type FieldValues } from './bound-table.ts'
import { bind, type Shape, Slot, shapeOf } from './shape.ts'

/** How one record goes into a table whose ids the database counts: found once. */
interface InsertPlan {
  readonly names: readonly string[]
  /** How the values of each column get the engine's form; undefined where they have it. */
  readonly encoders: readonly (Codec['encode'] | undefined)[]
  /** Which of them is the row_version. */
  readonly versionAt: number
  readonly plain: Shape
  /** Nothing is kept to undo the statement alone. */
  readonly orFail: Shape
}

const plans = new WeakMap<BoundTable, InsertPlan>()

function planOf(table: BoundTable): InsertPlan {
  const known = plans.get(table)
  if (known) return known
  const { model, engine } = table
  const names = model.fields.map(({ name }) => name).filter((name) => name !== model.id.name)
  const query = engine.builder.insertInto(model.name).values(Object.fromEntries(names.map((name, index) => [name, new Slot(index)])))
  const plan = {
    names,
    encoders: names.map((name) => table.encoder(name)),
    versionAt: names.indexOf(model.rowVersion.name),
    plain: shapeOf(query.compile()),
    orFail: shapeOf((engine.capabilities.insertOrFail ? query.orFail() : query).compile()),
  }
  plans.set(table, plan)
  return plan
}

/** The statement that inserts one record without its id, which the database counts. */
export function insertOne(table: BoundTable, record: FieldValues, version: string, how: 'plain' | 'orFail' = 'plain'): Statement {
  const plan = planOf(table)
  const { names, encoders, versionAt } = plan
  const values: unknown[] = []
  for (let place = 0; place < names.length; place++) {
    values.push(place === versionAt ? version : encodedBy(encoders[place], record[names[place] ?? '']))
  }
  return bind(plan[how], values)
}
