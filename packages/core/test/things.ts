import { DateTime, Decimal, defineModel, Int64 } from '@strongroom/core'
import fc from 'fast-check'
import { Type } from 'typebox'

/** A model with a field of each kind that can be compared, and questions about its records. */
export const Thing = defineModel(
  'things',
  {
    text: Type.Optional(Type.String()),
    count: Type.Optional(Type.Integer()),
    big: Type.Optional(Int64()),
    price: Type.Optional(Decimal({ precision: 12, scale: 3 })),
    ratio: Type.Optional(Type.Number()),
    at: Type.Optional(DateTime()),
    done: Type.Optional(Type.Boolean()),
  },
  { softDelete: true, indexes: [['text'], ['count', 'price']] },
)

export type Row = Record<string, unknown>

/** For each field a few values, so that conditions meet; null among them. */
const values: Record<string, readonly unknown[]> = {
  text: [null, '', 'a', 'A', 'ab', 'é', 'É', '%', '😀'],
  count: [null, -1, 0, 1, 2 ** 53 - 1],
  big: [null, -(2n ** 63n), 0n, 2n ** 53n + 1n],
  price: [null, '-0.001', '0.000', '10.500'],
  ratio: [null, -1.5, 0, 5e-324, 1e308],
  at: [null, new Date('0001-01-01T00:00:00Z'), new Date(0), new Date('9999-12-31T23:59:59.999Z')],
  done: [null, true, false],
}
export const anyRow = fc.record(Object.fromEntries(Object.entries(values).map(([name, list]) => [name, fc.constantFrom(...list)])))

const given = (name: string): unknown[] => (values[name] ?? []).filter((value) => value !== null)
const condition = fc.constantFrom(...Object.keys(values)).chain((name) => {
  const value = fc.constantFrom(...given(name))
  const withNull = fc.constantFrom(...(values[name] ?? []))
  const operators: fc.Arbitrary<Row>[] = [
    fc.record({ eq: withNull }),
    fc.record({ ne: withNull }),
    ...['lt', 'lte', 'gt', 'gte'].map((operator) => value.map((operand) => ({ [operator]: operand }))),
    fc.array(withNull, { maxLength: 4 }).map((list) => ({ in: list })),
    fc.array(withNull, { maxLength: 4 }).map((list) => ({ notIn: list })),
    fc.boolean().map((isNull) => ({ isNull })),
    fc.tuple(value, value).map(([low, high]) => ({ gte: low, lte: high })),
  ]
  if (name === 'text') {
    const names = ['contains', 'startsWith', 'endsWith', 'icontains', 'istartsWith', 'iendsWith']
    operators.push(fc.tuple(fc.constantFrom(...names), value).map(([operator, operand]) => ({ [operator]: operand })))
  }
  return fc.oneof(withNull, ...operators).map((what) => ({ [name]: what }))
})
export const anyWhere = fc.letrec<{ where: Row }>((tie) => ({
  where: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    condition,
    fc.array(tie('where'), { maxLength: 3 }).map((and) => ({ and })),
    fc.array(tie('where'), { maxLength: 3 }).map((or) => ({ or })),
    tie('where').map((not) => ({ not })),
    fc.tuple(condition, condition).map(([a, b]) => ({ ...a, ...b })),
  ),
})).where

export const anyOrder = fc.uniqueArray(fc.constantFrom(...['id', ...Object.keys(values)].flatMap((name) => [name, `-${name}`])), {
  maxLength: 3,
  selector: (term) => term.replace('-', ''),
})
