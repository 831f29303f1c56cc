import {
  Bytes,
  DateTime,
  Decimal,
  Default,
  defineModel,
  Int64,
  ModelAccessor,
  PlainDate,
  Ref,
  type Storage,
  StrongroomError,
  versionOf,
} from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import fc from 'fast-check'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { storagesOn } from './support.ts'

const Team = defineModel('teams', { name: Type.String() })

/** A field of every kind that a database can spell, and one of each that is treated otherwise. */
const Every = defineModel(
  'every',
  {
    text: Type.Optional(Type.String({ maxLength: 60 })),
    whole: Type.Optional(Type.Integer()),
    wide: Type.Optional(Int64()),
    price: Type.Optional(Decimal({ precision: 18, scale: 4 })),
    count: Type.Optional(Decimal({ precision: 18, scale: 0 })),
    ratio: Type.Optional(Type.Number()),
    flag: Default(Type.Boolean(), false),
    choice: Type.Optional(Type.Enum(["it's", '"two" \\ words', 'ü'])),
    at: Type.Optional(DateTime()),
    day: Type.Optional(PlainDate()),
    blob: Type.Optional(Bytes()),
    token: Type.Optional(Type.String()),
    email: Type.Optional(Type.String()),
    origin: Type.Optional(Type.String()),
    team: Type.Optional(Ref(() => Team)),
    Odd_Name: Type.Optional(Type.String()),
  },
  { softDelete: true, stamps: true, secret: ['token'], immutable: ['origin'], unique: [['email']] },
)

const anyText = fc.oneof(
  fc.constantFrom('', '"', '\\', '\u2028\u2029\u007f', '\b\f\n\r\t\u0001\u001f', '👩‍👩‍👧‍👦\u{10ffff}\uffff', "'", '$1', '~'),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
)
const most = 10n ** 18n - 1n
const scaled = (scale: number) =>
  fc.oneof(fc.bigInt({ min: -most, max: most }), fc.constantFrom(0n, -1n, most, -most)).map((value) => {
    const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
    return `${value < 0n ? '-' : ''}${scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`}`
  })
const moments = { min: new Date('0001-01-01T00:00:00.000Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }
/** At the ends of what two programs write alike, and beyond. */
const oddNumbers = [
  -0,
  0.1,
  1e-4,
  9.9e-5,
  1e-7,
  5e-324,
  999_999_999_999_999.9,
  1e15,
  1e21,
  1e22,
  1e23,
  2 ** 53,
  2 ** 70,
  1.7976931348623157e308,
]
const values = {
  text: anyText,
  whole: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER)),
  wide: fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 0n)),
  price: scaled(4),
  count: scaled(0),
  ratio: fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(...oddNumbers),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
  ),
  flag: fc.boolean(),
  choice: fc.constantFrom("it's", '"two" \\ words', 'ü'),
  at: fc.date(moments),
  day: fc.date(moments).map((date) => date.toISOString().slice(0, 10)),
  blob: fc.uint8Array({ maxLength: 200 }),
  token: anyText,
  email: fc.constantFrom('a', 'b', 'c', 'd'),
  team: fc.constantFrom(1, 2, 99),
  Odd_Name: anyText,
} as const
type Given = Record<string, unknown>
const anyFields = (frequency: number, more: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.record(
    Object.fromEntries(
      Object.entries({ ...values, ...more }).map(([name, each]) => [
        name,
        name === 'flag' ? each : fc.option<unknown>(each, { freq: frequency }),
      ]),
    ),
    { requiredKeys: [] },
  ) as fc.Arbitrary<Given>
/** What is refused, by whom is no matter. */
const bad = {
  flag: fc.constant(null),
  whole: fc.constant('7'),
  text: fc.constant('x'.repeat(61)),
  origin: anyText,
  created_by: anyText,
  none: anyText,
}
const anyPatch = fc.oneof(
  { weight: 8, arbitrary: anyFields(6) },
  { weight: 1, arbitrary: fc.constantFrom<Given>({}, { text: undefined }) },
  { weight: 2, arbitrary: fc.record(bad, { requiredKeys: [] }) as fc.Arbitrary<Given> },
)
const anyStep = fc.record({
  verb: fc.constantFrom('update', 'update', 'update', 'again', 'whole', 'save', 'delete', 'deleteReturning', 'restore', 'restore', 'purge'),
  id: fc.constantFrom(1, 2, 3, 4),
  patch: anyPatch,
  match: fc.constantFrom('none', 'none', 'none', 'current', 'stale', 'any', 'several', 'odd', 'absent'),
})
type Step = typeof anyStep extends fc.Arbitrary<infer Value> ? Value : never
type Accessor = ModelAccessor<typeof Every>

async function conditionsOf(accessor: Accessor, { id, match }: Step): Promise<Given> {
  const current = versionOf(await accessor.get(id, { includeDeleted: true })) ?? 'nowhere'
  const stale = 'A'.repeat(16)
  const wanted: Record<Step['match'], Given> = {
    none: {},
    current: { ifMatch: current },
    stale: { ifMatch: stale },
    any: { ifMatch: '*' },
    several: { ifMatch: [stale, current] },
    odd: { ifMatch: ['\0 no version', '"'] },
    absent: { ifNoneMatch: stale },
  }
  return wanted[match]
}

/** What a step answers, or is refused with. */
async function take(accessor: Accessor, step: Step): Promise<unknown> {
  const { verb, id, patch } = step
  const options = { actor: 'ada', requestId: 'r1', ...(await conditionsOf(accessor, step)) }
  const standing = await accessor.get(id, { includeDeleted: true })
  const verbs: Record<Step['verb'], () => Promise<unknown>> = {
    update: () => accessor.update(id, patch as never, options),
    // What is there already changes nothing; what is kept by the library may be sent back.
    again: () => accessor.update(id, { text: standing?.text ?? null, blob: standing?.blob ?? null }, options),
    whole: () => accessor.update(id, { ...standing, ...patch } as never, options),
    save: () => accessor.save({ id, ...patch } as never, options),
    delete: () => accessor.delete(id, options),
    deleteReturning: () => accessor.deleteReturning(id, options),
    restore: () => accessor.restore(id, options),
    purge: () => accessor.purge(id, options),
  }
  try {
    const answer = await verbs[verb]()
    if (typeof answer !== 'object' || answer === null) return answer
    const stored = await accessor.get(id, { includeDeleted: true })
    // A version is known, and that of a record which stands is the one that is stored.
    return {
      answer,
      keys: Object.keys(answer),
      versioned: stored ? versionOf(answer) === versionOf(stored) : versionOf(answer) !== undefined,
    }
  } catch (error) {
    if (error instanceof StrongroomError) return { code: error.code, message: error.message }
    throw error
  }
}

/** Everything but the time of day. */
function timeless(found: unknown): unknown {
  if (typeof found === 'string') return found.replaceAll(/"(updated|created|deleted)_at":"[^"]*"/g, '"$1_at":"then"')
  if (Array.isArray(found)) return found.map(timeless)
  if (typeof found !== 'object' || found === null || found instanceof Uint8Array || found instanceof Date) return found
  const isTime = (name: string, value: unknown): boolean => /^(updated|created|deleted)_at$/.test(name) && value !== null
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, isTime(name, value) ? 'then' : timeless(value)]))
}

/** The log, letter by letter. */
async function logOf(storage: Storage): Promise<unknown> {
  const columns = [
    'component',
    'record_id',
    'operation',
    'actor',
    'before',
    'after',
    'request_id',
    'tenant',
    'schema_version',
    'epoch',
  ] as const
  // biome-ignore lint/suspicious/noExplicitAny: the library's own tables have no types
  const rows = await (storage.kysely as any).selectFrom('strongroom_audit_log').select(columns).orderBy('id').execute()
  return timeless(rows)
}

describeEngines('a write that the database does by itself', (engine) => {
  const open = storagesOn(engine)

  test('comes to the same records, answers, refusals and entries as one that is done step by step', async () => {
    const heard: string[] = []
    const onStatement = ({ sql }: { readonly sql: string }): void => void heard.push(sql)
    const [quick, stepwise] = [new ModelAccessor(Every, 'every'), new ModelAccessor(Every, 'every')]
    for (const moment of ['beforeUpdate', 'beforeDelete', 'beforeRestore'] as const) stepwise[moment](() => undefined)
    const sides = [
      { accessor: quick, storage: await open([quick, new ModelAccessor(Team, 'teams')], { onStatement }) },
      { accessor: stepwise, storage: await open([stepwise, new ModelAccessor(Team, 'teams')]) },
    ]
    const both = <T>(work: (side: { readonly accessor: Accessor; readonly storage: Storage }) => Promise<T>) => Promise.all(sides.map(work))
    for (const { storage } of sides) await storage.accessor(Team).insertMany([{ name: 'red' }, { name: 'blue' }])
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFields(6, { origin: anyText }), { minLength: 3, maxLength: 3 }),
        fc.array(anyStep, { maxLength: 12 }),
        async (records, steps) => {
          await both(async ({ accessor }) => {
            await accessor.purgeMany({})
            const fresh = records.map((record, index) => ({ ...record, id: index + 1, email: `${index}`, team: null }))
            await accessor.insertMany(fresh as never)
          })
          for (const step of steps) {
            const [one, other] = await both(({ accessor }) => take(accessor, step))
            expect(timeless(one)).toEqual(timeless(other))
          }
          const [mine, yours] = await both(({ accessor }) => accessor.all({ includeDeleted: true }))
          expect(timeless(mine)).toEqual(timeless(yours))
        },
      ),
      { numRuns: 40 },
    )
    const [mine, yours] = await both(({ storage }) => logOf(storage))
    expect(mine).toEqual(yours)
    for (const { storage } of sides) {
      await storage.audit.waitUntilSealed()
      expect(await storage.audit.verify()).toMatchObject({ ok: true })
    }
    // It was no comparison of one way with itself.
    expect(heard.some((sql) => /^WITH .*(UPDATE|DELETE)/s.test(sql))).toBe(engine.name === 'postgres')
  })
})
