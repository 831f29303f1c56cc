import {
  type AnyModel,
  Bytes,
  DateTime,
  Decimal,
  defineModel,
  type InsertOf,
  Int64,
  Json,
  ModelAccessor,
  openStorage,
  PlainDate,
  Ref,
  type Storage,
} from '@strongroom/core'
import { Type } from 'typebox'
import { exported } from './import-support.ts'
import { filesOf } from './zip-files.ts'

/** A field of every kind, one of them secret, and a reference to its own kind. */
export const Thing = defineModel(
  'things',
  {
    text: Type.String(),
    note: Type.Optional(Type.String()),
    choice: Type.Optional(Type.Enum(['a', ' "b",'])),
    level: Type.Optional(Type.Enum([-1, 2])),
    flag: Type.Optional(Type.Boolean()),
    ratio: Type.Optional(Type.Number()),
    count: Type.Optional(Type.Integer()),
    big: Type.Optional(Int64()),
    price: Type.Optional(Decimal({ precision: 18, scale: 3 })),
    whole: Type.Optional(Decimal({ precision: 18, scale: 0 })),
    at: Type.Optional(DateTime()),
    day: Type.Optional(PlainDate()),
    data: Type.Optional(Json()),
    photo: Type.Optional(Bytes()),
    password: Type.Optional(Type.String()),
    like: Type.Optional(Ref((): AnyModel<string> => Thing, { onDelete: 'setNull' })),
  },
  { id: 'text', softDelete: true, stamps: true, secret: ['password'], immutable: ['choice'], readOnly: ['level'] },
)
export const Key = defineModel('keys', { thing: Ref(() => Thing) }, { id: 'uuid' })
export type NewThing = Omit<InsertOf<typeof Thing>, 'id'>

/** Texts that are hard to carry. */
export const hostile: readonly string[] = [
  ...[
    '',
    ' ',
    ' first',
    'last ',
    ',',
    '",',
    '"',
    '""',
    "'",
    '\\',
    '\\.',
    '\\N',
    ';',
    '#',
    '\t',
    '\v',
    '\u0001',
    '\u001a',
    '\u007f',
    '\u0085',
  ],
  ...['\n', '\r', '\r\n', '\r\r', 'a\n\r\nb', '"\r\n"', '\ufeff', '\ufeff"', '\u2028', '\u00a0', '\ud7ff\ue000😀', 'é', 'é', '漢'],
  ...['null', 'NULL', '[secret]', '=1+1', '-1', '+1', '@x', '0', '1e5', 'true', '{"a":1}', '2026-01-01', '<svg onload=1>'],
  ...["'; DROP TABLE things; --", 'x'.repeat(70_000)],
]

/** The least and the largest of each kind, and data that looks like nothing. */
export const extremes: readonly NewThing[] = [
  {
    text: 'least',
    level: -1,
    flag: false,
    ratio: 5e-324,
    count: Number.MIN_SAFE_INTEGER,
    big: -(2n ** 63n),
    price: '-999999999999999.999',
    whole: '-999999999999999999',
    at: new Date('0001-01-01T00:00:00.000Z'),
    day: '0001-01-01',
    data: { a: null, b: [null, [], {}], '': '', null: 'null' },
    photo: new Uint8Array(),
  },
  {
    text: 'largest',
    choice: ' "b",',
    level: 2,
    flag: true,
    ratio: Number.MAX_VALUE,
    count: Number.MAX_SAFE_INTEGER,
    big: 2n ** 63n - 1n,
    price: '999999999999999.999',
    whole: '999999999999999999',
    at: new Date('9999-12-31T23:59:59.999Z'),
    day: '9999-12-31',
    data: [Number.MAX_VALUE, -5e-324, 'x'.repeat(50_000)],
    photo: new Uint8Array(200_000).fill(34),
  },
  ...['', 'null', '"', 0, false, [], {}].map((data) => ({ text: 'data', data })),
]

/** Things in a storage of their own. */
export interface OpenThings {
  readonly things: ModelAccessor<typeof Thing>
  readonly keys: ModelAccessor<typeof Key>
  readonly storage: Storage
}

export async function openThings(url: string): Promise<OpenThings> {
  const things = new ModelAccessor(Thing, 'things')
  const keys = new ModelAccessor(Key, 'keys')
  const storage: unknown = await openStorage({ url, accessors: [keys, things] })
  // Nobody asks for its tables here.
  return { things, keys, storage: storage as Storage }
}

/** A thing for each hostile text, in all fields that take a text, and the extremes. */
export const hostileThings: readonly NewThing[] = [
  ...hostile.map((value) => ({ text: value, note: value, password: value, data: { [value]: value }, photo: Buffer.from(value) })),
  ...extremes,
]

/** Ids are texts that a URL can carry; all others are hostile enough. */
export const hostileId = (index: number): string => `${index}${hostile[index % hostile.length]?.slice(0, 100)}`

/** A value as the text of its cell; null has none. */
function cellOf(field: string, value: unknown): string | null {
  if (value === null) return null
  if (field === 'data') return JSON.stringify(value)
  if (value instanceof Date) return value.toISOString()
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : String(value)
}

/** Exports hostile things from a database of their own: their CSV file, and what every reader has to find in it, the header first. */
export async function exportHostileThings(url: string): Promise<{ readonly csv: Buffer; readonly cells: readonly (string | null)[][] }> {
  const { things, storage } = await openThings(url)
  try {
    await things.insertMany(hostileThings.map((row, index) => ({ ...row, id: hostileId(index), like: hostileId((index * 7) % 40) })))
    await things.deleteMany([hostileId(3), hostileId(5)])
    const files = await filesOf(await exported(storage, { tables: ['things'], secrets: 'include' }))
    const rows = await things.all({ includeDeleted: true })
    const names = Thing.fields.filter(({ hidden }) => !hidden).map(({ name }) => name)
    // A row has exactly these fields.
    const cells = rows.map((row) => names.map((name) => cellOf(name, Reflect.get(row, name))))
    return { csv: files.get('things.csv') ?? Buffer.alloc(0), cells: [names, ...cells] }
  } finally {
    await storage.close()
  }
}
