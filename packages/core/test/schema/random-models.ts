import { type AnyModel, Bytes, DateTime, Decimal, Default, defineModel, Int64, Json, PlainDate, Ref } from '@strongroom/core'
import fc from 'fast-check'
import { type TSchema, Type } from 'typebox'

/** A field in words that fast-check can shrink. */
interface FieldSketch {
  readonly kind: string
  readonly values: readonly string[]
  readonly numbers: readonly number[]
  readonly optional: boolean
}

/** A model in such words. */
interface ModelSketch {
  readonly id: 'integer' | 'uuid' | 'text'
  readonly fields: readonly FieldSketch[]
  readonly softDelete: boolean
  readonly stamps: boolean
  readonly unique: boolean
  readonly index: boolean
  readonly reference: boolean
}

const kinds = [
  'text',
  'enum',
  'numbers',
  'uuid',
  'integer',
  'int64',
  'number',
  'boolean',
  'decimal',
  'datetime',
  'date',
  'json',
  'bytes',
  'defaulted',
]

const sketch: fc.Arbitrary<ModelSketch> = fc.record({
  id: fc.constantFrom('integer', 'uuid', 'text'),
  fields: fc.array(
    fc.record({
      kind: fc.constantFrom(...kinds),
      // Whatever a text may hold: quotes, backslashes, colons, parentheses, words of SQL.
      values: fc.uniqueArray(
        fc.oneof(
          fc.string({ minLength: 0, maxLength: 8, unit: 'grapheme' }).filter((text) => !text.includes('\0') && text.isWellFormed()),
          fc.constantFrom(`it's`, `'`, `''`, `\\`, `a::text`, `) IN (`, `ARRAY['x']`, `--`, `/* */`, 'CHECK', '"', ',', '1'),
        ),
        { minLength: 1, maxLength: 4 },
      ),
      numbers: fc.uniqueArray(fc.maxSafeInteger(), { minLength: 1, maxLength: 4 }),
      optional: fc.boolean(),
    }),
    { maxLength: 5 },
  ),
  softDelete: fc.boolean(),
  stamps: fc.boolean(),
  unique: fc.boolean(),
  index: fc.boolean(),
  reference: fc.boolean(),
})

/** One to three models, each of which may point to the first one. */
export const randomModels: fc.Arbitrary<readonly AnyModel[]> = fc.array(sketch, { minLength: 1, maxLength: 3 }).map((sketches) => {
  const models: AnyModel[] = []
  for (const [index, about] of sketches.entries()) models.push(modelOf(about, index, models[0]))
  return models
})

function modelOf({ fields, reference, ...about }: ModelSketch, index: number, first: AnyModel | undefined): AnyModel {
  const entries = fields.map((field, place) => [`f${place}`, typeOf(field)] as const)
  const target: [string, TSchema][] = reference && first ? [['target', Type.Optional(Ref((): AnyModel => first))]] : []
  const indexable = fields.flatMap(({ kind }, place) => (kind === 'json' ? [] : [`f${place}`]))
  return defineModel(`model_${index}`, Object.fromEntries([...entries, ...target]), {
    id: about.id,
    softDelete: about.softDelete,
    stamps: about.stamps,
    unique: about.unique && indexable.length > 0 ? [indexable.slice(0, 2)] : [],
    indexes: about.index && indexable.length > 0 ? [indexable.slice(-1)] : [],
  })
}

function typeOf({ kind, values, numbers, optional }: FieldSketch): TSchema {
  const types: Readonly<Record<string, () => TSchema>> = {
    text: () => Type.String(),
    enum: () => Type.Enum([...values]),
    numbers: () => Type.Union(numbers.map((value) => Type.Literal(value))),
    uuid: () => Type.String({ format: 'uuid' }),
    integer: () => Type.Integer(),
    int64: () => Int64(),
    number: () => Type.Number(),
    boolean: () => Type.Boolean(),
    decimal: () => Decimal({ precision: 9, scale: 3 }),
    datetime: () => DateTime(),
    date: () => PlainDate(),
    json: () => Json(),
    bytes: () => Bytes({ maxLength: 100 }),
    defaulted: () => Default(Type.Enum([...values]), values[0] ?? ''),
  }
  const type = types[kind]?.() ?? Type.String()
  return optional ? Type.Optional(type) : type
}
