import type { Connection } from '../engine/engine.ts'
import { type Task, wait } from '../session/task.ts'
import type { BoundTable } from './bound-table.ts'
import { passedOver } from './counted-id.ts'
import { bind, piecesOf, Slot, shapeOf } from './shape.ts'

/** A reference of one record. */
export interface FilledReference {
  readonly id: unknown
  readonly value: unknown
}

/** Gives records their references, each its own, within the unit that inserted them: nobody has seen the rows without. */
export function* fillReferences(
  table: BoundTable,
  connection: Connection,
  field: string,
  references: readonly FilledReference[],
): Task<void> {
  const { model, engine, shapes } = table
  const idName = model.id.name
  for (const piece of piecesOf(references, 256)) {
    const shape = shapes.get(`fill ${field} ${piece.length}`, () => {
      const slots = piece.map((_reference, index) => ({ id: new Slot(index * 2), value: new Slot(index * 2 + 1) }))
      const query = engine.builder
        .updateTable(model.name)
        .set((eb) => {
          const [first, ...others] = slots
          // A piece has one reference at least.
          let cases = eb.case().when(idName, '=', first?.id).then(first?.value)
          for (const slot of others) cases = cases.when(idName, '=', slot.id).then(slot.value)
          // The column at the end gives the parameters its type.
          return { [field]: cases.else(eb.ref(field)).end() }
        })
        .where(
          idName,
          'in',
          slots.map((slot) => slot.id),
        )
      return shapeOf(query.compile())
    })
    const values = piece.flatMap(({ id, value }) => [table.encode(idName, id), table.encode(field, value)])
    const filled = yield* wait(connection.run(bind(shape, values)))
    if (filled < piece.length) throw passedOver(table)
  }
}
