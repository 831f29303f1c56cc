import { type AnyModel, Bytes, DateTime, Decimal, Default, defineModel, Int64, Json, PlainDate, Ref } from '@strongroom/core'
import { type TSchema, Type } from 'typebox'

/** A record in words of no model. */
export type Loose = Readonly<Record<string, unknown>>

/** Two versions of a model, records of the first one, and what has to come of them. */
export interface Pair {
  readonly name: string
  readonly before: AnyModel | undefined
  readonly after: AnyModel | undefined
  readonly rows?: readonly Loose[]
  /** What a start does: everything by itself, or nothing. */
  readonly start: 'safe' | 'stops' | 'same'
  /** A change of the migration's text, which its writer would make. */
  readonly edit?: readonly [RegExp, string]
  /** The records afterwards, by their ids in order; a pattern for what refuses the migration, or the writing of one. */
  readonly outcome: readonly Loose[] | RegExp
  /** After the migration was taken back: the records of before unless said; a pattern for what refuses that. */
  readonly back?: readonly Loose[] | RegExp
}

export const Team = defineModel('teams', { name: Type.String() })

const things = (fields: Record<string, TSchema>, options: Parameters<typeof defineModel>[2] = {}): AnyModel =>
  defineModel('things', fields, options)
const text = (): TSchema => Type.String()
const optional = (type: TSchema): TSchema => Type.Optional(type)
const team = (): TSchema => Ref(() => Team)

const one = things({ a: text() })
const rows = [{ a: 'one' }, { a: 'two' }]
const enumOf = (...values: string[]): TSchema => Type.Enum(values)

const Twin: AnyModel<number> = things({ a: text(), twin: optional(Ref((): AnyModel<number> => Twin)) })
const RenamedTwin: AnyModel<number> = defineModel(
  'items',
  { a: text(), twin: optional(Ref((): AnyModel<number> => RenamedTwin)) },
  { renamedFrom: 'things' },
)

/** A field of one type becomes one of another. */
const retype = (
  name: string,
  from: TSchema,
  to: TSchema,
  values: readonly unknown[],
  outcome: readonly unknown[] | RegExp,
  back?: Pair['back'],
): Pair => ({
  name: `retype: ${name}`,
  before: things({ a: optional(from) }),
  after: things({ a: optional(to) }),
  rows: values.map((a) => ({ a })),
  start: 'stops',
  outcome: outcome instanceof RegExp ? outcome : outcome.map((a) => ({ a })),
  ...(back && { back }),
})

export const pairs: readonly Pair[] = [
  { name: 'add a table', before: undefined, after: one, start: 'safe', outcome: [] },
  { name: 'drop a table without records', before: one, after: undefined, start: 'same', outcome: [] },
  {
    name: 'drop a table with records',
    before: one,
    after: undefined,
    rows,
    start: 'same',
    outcome: /things has 2 records, which would be lost.*id 1, 2/,
  },
  {
    name: 'rename a table',
    before: things({ a: text(), team: optional(team()) }, { unique: [['a']], indexes: [['a', 'team']] }),
    after: defineModel(
      'items',
      { a: text(), team: optional(team()) },
      { unique: [['a']], indexes: [['a', 'team']], renamedFrom: ['stuff', 'things'] },
    ),
    rows,
    start: 'stops',
    outcome: rows.map((row) => ({ ...row, team: null })),
  },
  {
    name: 'rename a table to which it points itself',
    before: Twin,
    after: RenamedTwin,
    rows: [
      { a: 'one', twin: null },
      { a: 'two', twin: 1 },
    ],
    start: 'stops',
    outcome: [
      { a: 'one', twin: null },
      { a: 'two', twin: 1 },
    ],
  },
  {
    name: 'add a field that takes null',
    before: one,
    after: things({ a: text(), b: optional(Type.Integer()) }),
    rows,
    start: 'safe',
    outcome: rows.map((row) => ({ ...row, b: null })),
  },
  {
    name: 'add a field with a default',
    before: one,
    after: things({ a: text(), b: Default(Type.Integer(), 7) }),
    rows,
    start: 'safe',
    outcome: rows.map((row) => ({ ...row, b: 7 })),
    back: /things\.b has values in 2 records/,
  },
  {
    name: 'add a field that takes no null, without records',
    before: one,
    after: things({ a: text(), b: Type.Integer() }),
    start: 'stops',
    outcome: [],
  },
  {
    name: 'add a field that takes no null, with records',
    before: one,
    after: things({ a: text(), b: Type.Integer() }),
    rows,
    start: 'stops',
    outcome: /things\.b takes no null, and 2 records would have none/,
  },
  {
    name: 'add a field that takes no null, and fill it',
    before: one,
    after: things({ a: text(), b: Int64() }),
    rows,
    start: 'stops',
    edit: [/type: 'int64' \}/, `type: 'int64', fill: '9007199254740993' }`],
    outcome: rows.map((row) => ({ ...row, b: 9007199254740993n })),
    back: /things\.b has values in 2 records/,
  },
  {
    name: 'drop a field with values',
    before: things({ a: text(), b: optional(text()) }),
    after: one,
    rows: [
      { a: 'one', b: 'x' },
      { a: 'two', b: null },
    ],
    start: 'same',
    outcome: /things\.b has values in one record, which would be lost.*id 1\./,
  },
  {
    name: 'drop a field, and let its values go',
    before: things({ a: text(), b: optional(text()) }, { indexes: [['b']] }),
    after: one,
    rows: [{ a: 'one', b: 'x' }],
    start: 'same',
    edit: [/b: \{ type: 'text'/, `b: { discard: true, type: 'text'`],
    outcome: [{ a: 'one' }],
    back: [{ a: 'one', b: null }],
  },
  { name: 'drop a field that took no null', before: things({ a: text(), b: text() }), after: one, start: 'stops', outcome: [] },
  {
    name: 'rename a field',
    before: things({ a: text(), old: Type.Integer() }, { unique: [['old']] }),
    after: things({ a: text(), fresh: Type.Integer() }, { unique: [['fresh']], renamedFields: { fresh: 'old' } }),
    rows: [{ a: 'one', old: 7 }],
    start: 'stops',
    outcome: [{ a: 'one', fresh: 7 }],
  },
  {
    name: 'rename a field without saying so',
    before: things({ a: text(), old: optional(Type.Integer()) }),
    after: things({ a: text(), fresh: optional(Type.Integer()) }),
    rows: [{ a: 'one', old: 7 }],
    start: 'safe',
    outcome: /things\.old has values in one record/,
  },
  {
    name: 'rename a field into a name that is taken over',
    before: things({ a: text(), b: text() }),
    after: things({ first: text(), a: text() }, { renamedFields: { first: 'a', a: 'b' } }),
    rows: [{ a: 'one', b: 'x' }],
    start: 'stops',
    outcome: [{ first: 'one', a: 'x' }],
  },
  {
    name: 'change a unique key and an index with each other',
    before: things({ a: text(), b: text() }, { indexes: [['a']], unique: [['b']] }),
    after: things({ a: text(), b: text() }, { indexes: [['b']], unique: [['a']] }),
    rows: [{ a: 'one', b: 'x' }],
    start: 'stops',
    outcome: [{ a: 'one', b: 'x' }],
  },
  {
    name: 'rename a reference',
    before: things({ a: text(), team: team() }),
    after: things({ a: text(), crew: team() }, { renamedFields: { crew: 'team' } }),
    rows: [{ a: 'one', team: 1 }],
    start: 'stops',
    outcome: [{ a: 'one', crew: 1 }],
  },
  retype('text to integer', text(), Type.Integer(), ['12', '-7', null], [12, -7, null]),
  retype(
    'text to integer, with words',
    text(),
    Type.Integer(),
    ['12', 'twelve', '1e3', null],
    /things\.a cannot become integer: 2 records have values that are none.*id 2, 3\./,
  ),
  retype('integer to text', Type.Integer(), text(), [12, null], ['12', null]),
  { ...retype('integer to a 64-bit integer', Type.Integer(), Int64(), [12, null], [12n, null]), start: 'safe' },
  retype('a 64-bit integer to integer', Int64(), Type.Integer(), [12n, null], [12, null]),
  retype(
    'a 64-bit integer to integer, past 2^53',
    Int64(),
    Type.Integer(),
    [12n, 9007199254740993n],
    /one record has a value that is none.*id 2\./,
  ),
  retype('number to integer', Type.Number(), Type.Integer(), [3, null], [3, null]),
  retype('number to integer, with a fraction', Type.Number(), Type.Integer(), [3, 3.5], /one record has a value.*id 2\./),
  retype('decimal to number', Decimal({ precision: 8, scale: 2 }), Type.Number(), ['12.50', null], [12.5, null]),
  retype(
    'decimal of another scale',
    Decimal({ precision: 8, scale: 2 }),
    Decimal({ precision: 9, scale: 4 }),
    ['12.50', '-0.01', null],
    ['12.5000', '-0.0100', null],
  ),
  retype(
    'decimal of a smaller scale, with digits there',
    Decimal({ precision: 8, scale: 4 }),
    Decimal({ precision: 8, scale: 2 }),
    ['12.5000', '0.0001'],
    /one record has a value.*id 2\./,
  ),
  {
    ...retype('decimal with more digits', Decimal({ precision: 4, scale: 2 }), Decimal({ precision: 9, scale: 2 }), ['12.50'], ['12.50']),
    start: 'safe',
  },
  retype('integer to boolean', Type.Integer(), Type.Boolean(), [0, 1, null], [false, true, null]),
  retype('integer to boolean, with other numbers', Type.Integer(), Type.Boolean(), [0, 2], /one record has a value.*id 2\./),
  retype('boolean to text', Type.Boolean(), text(), [true, false, null], ['true', 'false', null]),
  retype(
    'text to an instant',
    text(),
    DateTime(),
    ['2026-01-31T12:00:00+01:00', null],
    [new Date('2026-01-31T11:00:00Z'), null],
    [{ a: '2026-01-31T11:00:00.000Z' }, { a: null }],
  ),
  retype('date to an instant', PlainDate(), DateTime(), ['2026-01-31', null], [new Date('2026-01-31T00:00:00Z'), null]),
  retype(
    'an instant to date, with times of day',
    DateTime(),
    PlainDate(),
    [new Date('2026-01-31T00:00:00Z'), new Date('2026-01-31T00:00:01Z')],
    /one record has a value.*id 2\./,
  ),
  retype('text to JSON', text(), Json(), ['{"b":[1]}', null], [{ b: [1] }, null]),
  retype('bytes to text', Bytes({ maxLength: 9 }), text(), [new Uint8Array([1])], /there is no way from bytes to text that loses nothing/),
  { name: 'null to not null, without nulls', before: things({ a: optional(text()) }), after: one, rows, start: 'stops', outcome: rows },
  {
    name: 'null to not null, with nulls',
    before: things({ a: optional(text()) }),
    after: one,
    rows: [{ a: 'one' }, { a: null }],
    start: 'stops',
    outcome: /things\.a takes no null any more, and is null in one record\..*id 2\./,
  },
  {
    name: 'null to not null, with nulls that are filled',
    before: things({ a: optional(text()) }),
    after: one,
    rows: [{ a: 'one' }, { a: null }],
    start: 'stops',
    edit: [/to: \{ type: 'text' \}/, `to: { type: 'text' }, fill: 'none'`],
    outcome: [{ a: 'one' }, { a: 'none' }],
    back: [{ a: 'one' }, { a: 'none' }],
  },
  { name: 'not null to null', before: one, after: things({ a: optional(text()) }), rows, start: 'safe', outcome: rows },
  { name: 'add a default', before: things({ a: text() }), after: things({ a: Default(text(), 'x') }), rows, start: 'same', outcome: rows },
  { name: 'take a default away', before: things({ a: Default(text(), 'x') }), after: one, rows, start: 'same', outcome: rows },
  {
    name: 'widen an enum',
    before: things({ a: enumOf('one', 'two') }),
    after: things({ a: enumOf('one', 'two', 'three') }),
    rows,
    start: 'safe',
    outcome: rows,
  },
  {
    name: 'narrow an enum, with records of the rest',
    before: things({ a: enumOf('one', 'two', 'three') }),
    after: things({ a: enumOf('one', 'three') }),
    rows,
    start: 'stops',
    outcome: /things\.a would not take what one record has there.*id 2\./,
  },
  {
    name: 'narrow an enum, without such records',
    before: things({ a: enumOf('one', 'two', 'three') }),
    after: things({ a: enumOf('one', 'two') }),
    rows,
    start: 'stops',
    outcome: rows,
  },
  { name: 'make a text an enum', before: one, after: things({ a: enumOf('one', 'two') }), rows, start: 'stops', outcome: rows },
  { name: 'add a unique key', before: one, after: things({ a: text() }, { unique: [['a']] }), rows, start: 'stops', outcome: rows },
  {
    name: 'add a unique key over duplicates',
    before: one,
    after: things({ a: text() }, { unique: [['a']] }),
    rows: [...rows, { a: 'two' }],
    start: 'stops',
    outcome: /things has one value of \(a\) in several records each.*id 2, 3\./,
  },
  { name: 'take a unique key away', before: things({ a: text() }, { unique: [['a']] }), after: one, rows, start: 'safe', outcome: rows },
  { name: 'add an index', before: one, after: things({ a: text() }, { indexes: [['a']] }), rows, start: 'safe', outcome: rows },
  { name: 'take an index away', before: things({ a: text() }, { indexes: [['a']] }), after: one, rows, start: 'same', outcome: rows },
  {
    name: 'add a reference',
    before: things({ a: text(), team: Type.Integer() }),
    after: things({ a: text(), team: team() }),
    rows: [{ a: 'one', team: 1 }],
    start: 'stops',
    outcome: [{ a: 'one', team: 1 }],
  },
  {
    name: 'add a reference over orphans',
    before: things({ a: text(), team: Type.Integer() }),
    after: things({ a: text(), team: team() }),
    rows: [
      { a: 'one', team: 1 },
      { a: 'two', team: 9 },
    ],
    start: 'stops',
    outcome: /things\.team points to no record of teams in one record.*id 2\./,
  },
  {
    name: 'take a reference away',
    before: things({ a: text(), team: team() }, { indexes: [['team']] }),
    after: things({ a: text(), team: Type.Integer() }, { indexes: [['team']] }),
    rows: [{ a: 'one', team: 1 }],
    start: 'safe',
    outcome: [{ a: 'one', team: 1 }],
  },
  {
    name: 'switch soft deletion on',
    before: things({ a: text() }, { unique: [['a']] }),
    after: things({ a: text() }, { unique: [['a']], softDelete: true }),
    rows,
    start: 'safe',
    outcome: rows.map((row) => ({ ...row, deleted_at: null })),
  },
  {
    name: 'switch soft deletion off',
    before: things({ a: text() }, { unique: [['a']], softDelete: true }),
    after: things({ a: text() }, { unique: [['a']] }),
    rows,
    start: 'stops',
    outcome: rows,
  },
  {
    name: 'switch stamps on',
    before: one,
    after: things({ a: text() }, { stamps: true }),
    rows,
    start: 'stops',
    outcome: rows.map((row) => ({ ...row, created_by: null, updated_by: null })),
    back: /things\.created_at has values in 2 records/,
  },
  {
    name: 'name stamps otherwise',
    before: things({ a: text() }, { stamps: true }),
    after: things({ a: text() }, { stamps: { createdAt: 'added_at' }, renamedFields: { added_at: 'created_at' } }),
    rows,
    start: 'stops',
    outcome: rows,
  },
  {
    name: 'switch a tenant on, without records',
    before: one,
    after: things({ a: text(), tenant: text() }, { tenant: 'tenant' }),
    start: 'stops',
    outcome: [],
  },
  {
    name: 'switch a tenant on, with records',
    before: one,
    after: things({ a: text(), tenant: text() }, { tenant: 'tenant' }),
    rows,
    start: 'stops',
    outcome: /things\.tenant takes no null, and 2 records would have none/,
  },
  {
    name: 'change the kind of id',
    before: one,
    after: things({ a: text() }, { id: 'uuid' }),
    rows,
    start: 'stops',
    outcome: /No migration can do this:\n- things\.id is/,
  },
  {
    name: 'change the name of the id without saying so',
    before: one,
    after: things({ a: text() }, { id: { name: 'code' } }),
    rows,
    start: 'stops',
    outcome: /No migration can do this:\n- The primary key of things is/,
  },
  {
    name: 'rename the id',
    before: one,
    after: things({ a: text() }, { id: { name: 'code' }, renamedFields: { code: 'id' } }),
    rows,
    start: 'stops',
    outcome: rows,
  },
  {
    name: 'everything at once',
    before: things({ a: text(), n: text(), gone: optional(text()), team: Type.Integer() }, { unique: [['n']] }),
    after: things(
      { title: text(), n: Type.Integer(), b: Default(enumOf('x', 'y'), 'x'), team: team() },
      { unique: [['n'], ['title']], indexes: [['b', 'n']], renamedFields: { title: 'a' } },
    ),
    rows: [
      { a: 'one', n: '1', team: 1 },
      { a: 'two', n: '2', team: 1 },
    ],
    start: 'stops',
    outcome: [
      { title: 'one', n: 1, b: 'x', team: 1 },
      { title: 'two', n: 2, b: 'x', team: 1 },
    ],
    back: /things\.b has values in 2 records/,
  },
]
