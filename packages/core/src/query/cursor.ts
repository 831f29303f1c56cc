import type { EngineCapabilities } from '../engine/engine.ts'
import { InvalidQueryError } from '../errors.ts'
import type { AnyModel, Field } from '../model/model.ts'
import type { BoundTable, FieldValues } from './bound-table.ts'
import { isComparable } from './comparable.ts'
import type { SortKey } from './order.ts'

/** Raised when the form of cursors changes, so that an old one is refused and not misread. */
const cursorVersion = 1

/** The place of a record in an order, as opaque text: the values of its sort fields. `wire` says that the record is in wire form already. */
export function writeCursor(model: AnyModel, keys: readonly SortKey[], record: FieldValues, { wire = false } = {}): string {
  const values = keys.map(({ field }) => {
    const value = record[field]
    if (value === null || value === undefined) return null
    return wire ? value : model.fieldsByName.get(field)?.toJson(value)
  })
  return Buffer.from(JSON.stringify([cursorVersion, orderText(keys), ...values])).toString('base64url')
}

/** The values in a cursor, in the order of the keys. Throws InvalidQueryError for what is no cursor of this order. */
export function readCursor({ model, engine }: Pick<BoundTable, 'model' | 'engine'>, keys: readonly SortKey[], cursor: string): unknown[] {
  const [version, order, ...values] = parse(cursor)
  if (version !== cursorVersion || typeof order !== 'string') throw forged()
  if (order !== orderText(keys)) throw new InvalidQueryError('The cursor belongs to another sort order. Start again from the first page.')
  if (values.length !== keys.length) throw forged()
  return keys.map(({ field: name }, index) => {
    const field = model.fieldsByName.get(name)
    const value = values[index]
    if (!field || (value === null && !field.nullable)) throw forged()
    if (value === null) return null
    const read = field.fromJson(value)
    if (!isComparable(field, read) && !isForeign(field, read, engine.capabilities)) throw forged()
    return field.normalise(read)
  })
}

/**
 * Whether another program may have stored it, where no record of the model may hold it: text with NUL, or a decimal of more digits than the model
 * takes, as a scaled 64-bit integer holds.
 */
function isForeign({ kind, scale = 0 }: Field, value: unknown, { textWithNul }: EngineCapabilities): boolean {
  if (kind === 'text') return textWithNul && typeof value === 'string' && value.isWellFormed()
  if (kind !== 'decimal' || typeof value !== 'string' || !/^-?\d{1,19}(\.\d{1,19})?$/.test(value)) return false
  const [whole = '', fraction = ''] = value.split('.')
  if (fraction.length > scale) return false
  const scaled = BigInt(`${whole}${fraction.padEnd(scale, '0')}`)
  return BigInt.asIntN(64, scaled) === scaled
}

function orderText(keys: readonly SortKey[]): string {
  return keys.map((key) => (key.descending ? `-${key.field}` : key.field)).join()
}

function parse(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(parsed)) return parsed
  } catch {
    // Whatever is wrong with it, the answer is the same.
  }
  throw forged()
}

function forged(): InvalidQueryError {
  return new InvalidQueryError('The cursor is none that this server gave. Take it from the answer before, or start from the first page.')
}
