import type { AnyModel, Field } from '../model/model.ts'
import type { FieldValues } from './bound-table.ts'
import type { SortKey } from './order.ts'

/** How two values stand to each other: below 0, 0 or above. */
export type Compare<T = unknown> = (a: T, b: T) => number

/** The order of a field's values that are not null, the same as in SQL. Values are as `normalise` leaves them. */
export function valueOrder(field: Field): Compare {
  switch (field.kind) {
    case 'datetime':
      return (a, b) => (a as Date).getTime() - (b as Date).getTime()
    case 'bytes':
      return (a, b) => Buffer.compare(a as Uint8Array, b as Uint8Array)
    case 'int64':
      return (a, b) => bySize(a as bigint, b as bigint)
    case 'decimal':
      // All values of a field have as many digits after the point.
      return (a, b) => bySize(scaled(a as string), scaled(b as string))
    case 'integer':
    case 'number':
    case 'boolean':
      return (a, b) => bySize(Number(a), Number(b))
    default:
      return (a, b) => (typeof a === 'string' && typeof b === 'string' ? byCodePoints(a, b) : bySize(Number(a), Number(b)))
  }
}

/** The order of records by sort fields, as SQL has it: null is the largest value. */
export function recordOrder({ fieldsByName }: AnyModel, keys: readonly SortKey[]): Compare<FieldValues> {
  const steps = keys.flatMap(({ field: name, descending }) => {
    const field = fieldsByName.get(name)
    return field ? [{ name, compare: nullsLargest(valueOrder(field)), sign: descending ? -1 : 1 }] : []
  })
  return (a, b) => {
    for (const { name, compare, sign } of steps) {
      const difference = compare(a[name], b[name])
      if (difference !== 0) return difference * sign
    }
    return 0
  }
}

function nullsLargest(compare: Compare): Compare {
  return (a, b) => {
    const [isNull, isOtherNull] = [(a ?? null) === null, (b ?? null) === null]
    return isNull || isOtherNull ? Number(isNull) - Number(isOtherNull) : compare(a, b)
  }
}

function bySize<T extends number | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function scaled(decimal: string): bigint {
  return BigInt(decimal.replace('.', ''))
}

/** By code points, where `<` compares UTF-16 code units: surrogates stand for what lies above all others. */
function byCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const [unit, other] = [a.charCodeAt(index), b.charCodeAt(index)]
    if (unit === other) continue
    const [isHigh, isOtherHigh] = [isSurrogate(unit), isSurrogate(other)]
    return isHigh === isOtherHigh ? unit - other : isHigh ? 1 : -1
  }
  return a.length - b.length
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}
