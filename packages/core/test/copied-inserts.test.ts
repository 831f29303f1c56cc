import { Bytes, DateTime, Decimal, defineModel, Int64, Json, ModelAccessor, PlainDate, Ref, type Storage } from '@strongroom/core'
import { describeEngines, needs } from '@strongroom/testkit'
import fc from 'fast-check'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'

const fields = {
  text: Type.Optional(Type.String()),
  flag: Type.Optional(Type.Boolean()),
  kind: Type.Optional(Type.Enum(['\\N', 'tab\t', 'plain'])),
  whole: Type.Optional(Type.Integer()),
  real: Type.Optional(Type.Number()),
  wide: Type.Optional(Int64()),
  price: Type.Optional(Decimal({ precision: 12, scale: 3 })),
  moment: Type.Optional(DateTime()),
  day: Type.Optional(PlainDate()),
  data: Type.Optional(Json()),
  bytes: Type.Optional(Bytes({ maxLength: 100 })),
}
const Sample = defineModel('samples', fields)
const Named = defineModel('named_samples', { ...fields, secret: Type.Optional(Type.String()) }, { id: 'text', secret: ['secret'] })

/** What rows that travel as text could be taken for: the ends of values and rows, nulls, and the end of them all. */
const text = fc.oneof(
  fc.constantFrom(
    '',
    '\\N',
    'N',
    '\\.',
    '\n\\.\n',
    '\\',
    '\\\\',
    '\\t',
    '\t',
    '\n',
    '\r',
    '\r\n',
    '\v\b\f',
    ' ',
    'NULL',
    '"',
    '{}',
    "'",
    '\\x00',
  ),
  fc.string({ unit: 'grapheme' }).filter((made) => !made.includes('\0')),
)
const maybe = <T>(made: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(made, { nil: null })
const sample = fc.record({
  text: maybe(text),
  flag: maybe(fc.boolean()),
  kind: maybe(fc.constantFrom('\\N', 'tab\t', 'plain')),
  whole: maybe(fc.maxSafeInteger()),
  real: maybe(fc.double({ noNaN: true, noDefaultInfinity: true }).map((made) => made + 0)),
  wide: maybe(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  price: maybe(fc.integer({ min: -999_999, max: 999_999 }).map((made) => `${made}.125`)),
  moment: maybe(fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })),
  day: maybe(fc.constantFrom('0001-01-01', '1582-10-10', '2024-02-29', '9999-12-31')),
  data: maybe(fc.jsonValue({ maxDepth: 2 }).filter((made) => made !== null && !JSON.stringify(made).includes('\\u0000'))),
  bytes: maybe(fc.uint8Array({ maxLength: 40 })),
})

/** From this many on records are copied where that is quicker; in pieces of this size they are not. */
const [many, few] = [100, 40]

describeEngines('hundreds of records at once', (engine) => {
  const open = storagesOn(engine)
  const start = async () => {
    const [samples, named] = [new ModelAccessor(Sample, 'samples'), new ModelAccessor(Named, 'named')]
    return { samples, named, storage: await open([samples, named]) }
  }
  type Setting = Awaited<ReturnType<typeof start>>

  /** All that was stored, but for what is drawn by lot or told by a clock. */
  const stored = async ({ storage }: Setting) => {
    const read = async (table: string) => {
      const { rows } = await sql<Record<string, unknown>>`SELECT * FROM ${sql.table(table)} ORDER BY id`.execute(storage.kysely)
      return rows.map(({ row_version: _version, ...row }) => row)
    }
    const entries = (await read('strongroom_audit_log')).map((row) => {
      const { timestamp, transaction_id, effective_at, salt, seq, leaf, hash, prev_hash, payload_hash, ...told } = row
      return { ...told, isHashed: payload_hash !== null && salt !== null && timestamp !== null && transaction_id !== null }
    })
    return { samples: await read('samples'), named: await read('named_samples'), entries }
  }

  test('are stored, answered and told of as a few at a time are, byte for byte', async () => {
    const [whole, pieces] = [await start(), await start()]
    let run = 0
    const property = fc.asyncProperty(fc.array(sample, { minLength: 1, maxLength: 20 }), async (made) => {
      run++
      const records = Array.from({ length: many + run }, (_, index) => made[index % made.length] ?? {})
      const named = records.map((record, index) => ({ ...record, id: `${run}\t\\${index}`, secret: `canary ${index}` }))
      const inPieces = async <T, R>(rows: readonly T[], insert: (some: readonly T[]) => Promise<readonly R[]>): Promise<R[]> => {
        const answers: R[] = []
        for (let at = 0; at < rows.length; at += few) answers.push(...(await insert(rows.slice(at, at + few))))
        return answers
      }
      const options = { actor: '\\N\tactor\n', requestId: 'request\\' }
      expect(await whole.samples.insertMany(records as never, options)).toEqual(
        await inPieces(records, (some) => pieces.samples.insertMany(some as never, options)),
      )
      expect(await whole.named.insertMany(named as never, options)).toEqual(
        await inPieces(named, (some) => pieces.named.insertMany(some as never, options)),
      )
    })
    await fc.assert(property, { numRuns: 8 })
    for (const { storage } of [whole, pieces]) await storage.audit.waitUntilSealed()
    const all = await stored(whole)
    expect(all).toEqual(await stored(pieces))
    expect(all.samples.length).toBeGreaterThan(8 * many)
    expect(JSON.stringify(all.entries)).not.toContain('canary')
    expect(await whole.storage.audit.verify()).toMatchObject({ ok: true })
  })

  test('keep what they are told of each record: its version is the stored one', async () => {
    const { samples } = await start()
    const records = await samples.insertMany(Array.from({ length: many }, (_, index) => ({ text: `${index}` })))
    const last = records.at(-1)
    expect(last).toMatchObject({ id: many, text: `${many - 1}` })
    const { versionOf } = await import('@strongroom/core')
    expect(versionOf(last ?? null)).toBe(versionOf(await samples.get(many)))
  })

  test('are refused for the same reasons', async () => {
    const { samples, named, storage } = await start()
    const reasons: Record<string, Record<string, unknown>> = {
      nul: { text: 'a\0b' },
      'lone surrogate': { text: 'a\ud800' },
      NaN: { real: Number.NaN },
      infinity: { real: Number.POSITIVE_INFINITY },
      'too wide': { wide: 2n ** 63n },
      'no such value': { kind: 'other' },
    }
    for (const bad of Object.values(reasons)) {
      const refusals = []
      for (const size of [many, few]) {
        const rows = Array.from({ length: size }, (_, index) => (index === 7 ? bad : { text: `${index}` }))
        refusals.push(told(await rejectionOf(samples.insertMany(rows as never))))
      }
      expect(refusals[0]).toEqual(refusals[1])
      expect(refusals[0]).toMatchObject({ code: 'validation_failed' })
    }
    expect(await samples.count()).toBe(0)
    expect(await named.count()).toBe(0)
    expect(await storage.audit.count()).toBe(0)
  })
})

/** What an error says to its caller. */
function told(error: unknown): Record<string, unknown> {
  const { name, code, message, fields: about, issues } = error as Record<string, unknown>
  return { name, code, message, about, issues }
}

const Team = defineModel('teams', { name: Type.String() })
const Member = defineModel(
  'members',
  { email: Type.String(), code: Type.Optional(Type.String()), team: Type.Optional(Ref(() => Team)) },
  { unique: [['email'], ['code']] },
)
const Badge = defineModel('badges', { label: Type.String() }, { id: 'text', unique: [['label']] })

describeEngines('hundreds of records, of which one breaks a rule', (engine) => {
  const open = storagesOn(engine)
  const start = async () => {
    const [teams, members, badges] = [
      new ModelAccessor(Team, 'teams'),
      new ModelAccessor(Member, 'members'),
      new ModelAccessor(Badge, 'badges'),
    ]
    const storage = await open([teams, members, badges])
    await members.insert({ email: 'taken', code: 'taken' })
    await badges.insert({ id: 'taken', label: 'taken' })
    return { teams, members, badges, storage }
  }
  const raw = async (storage: Storage, ...statements: string[]) => {
    const run = async (session: { kysely: Storage['kysely'] }) => {
      for (const statement of statements) await sql.raw(statement).execute(session.kysely)
    }
    await storage.transaction(run, { unaudited: true })
  }

  test('the error is that of a few, and nothing is left of the others', async () => {
    const { members, badges, storage } = await start()
    const member = (index: number) => ({ email: `e${index}`, code: `c${index}` })
    const badge = (index: number) => ({ id: `i${index}`, label: `l${index}` })
    const cases: { make: (size: number) => Promise<unknown>; code?: string }[] = [
      { make: (size) => members.insertMany(rows(size, member, { email: 'taken' })), code: 'unique_conflict' },
      { make: (size) => members.insertMany(rows(size, member, { email: 'e3' })), code: 'unique_conflict' },
      { make: (size) => members.insertMany(rows(size, member, { email: 'new', code: 'taken' })), code: 'unique_conflict' },
      // Two at once: which of them is told depends on the engine, and not on how many there are.
      { make: (size) => members.insertMany(rows(size, member, { email: 'new', code: 'c1' }, { email: 'e2' })), code: 'unique_conflict' },
      { make: (size) => members.insertMany(rows(size, member, { email: 'new', team: 99 }, { email: 'e2' })) },
      { make: (size) => members.insertMany(rows(size, member, { email: 'new', team: 99 })), code: 'reference_conflict' },
      { make: (size) => badges.insertMany(rows(size, badge, { id: 'taken', label: 'new' })), code: 'unique_conflict' },
      { make: (size) => badges.insertMany(rows(size, badge, { id: 'new', label: 'taken' })), code: 'unique_conflict' },
      { make: (size) => badges.insertMany(rows(size, badge, { id: 'i3', label: 'new' })), code: 'unique_conflict' },
    ]
    for (const { make, code } of cases) {
      const errors = [told(await rejectionOf(make(many + 30))), told(await rejectionOf(make(few)))]
      expect(errors[0]).toEqual(errors[1])
      expect(errors[0]).toMatchObject({ name: 'ConflictError', ...(code !== undefined && { code }) })
    }
    expect([await members.count(), await badges.count(), await storage.audit.count()]).toEqual([1, 1, 2])
  })

  test('a transaction around it goes on from its savepoint', async () => {
    const { members, teams, storage } = await start()
    const member = (index: number) => ({ email: `e${index}` })
    await storage.transaction(async () => {
      await teams.insert({ name: 'before' })
      await members.insertMany(rows(many, (index) => ({ email: `kept ${index}` }), { email: 'kept too' }))
      const broken = storage.transaction(() => members.insertMany(rows(many, member, { email: 'taken' })))
      expect(await rejectionOf(broken)).toMatchObject({ code: 'unique_conflict', fields: ['email'] })
      expect(await rejectionOf(members.insertMany(rows(many, member, { email: 'taken' })))).toMatchObject({ code: 'unique_conflict' })
      await members.insertMany(rows(many, member, { email: 'new' }))
      await teams.insert({ name: 'after' })
    })
    expect(await members.count()).toBe(1 + 2 * many)
    expect(await teams.count()).toBe(2)
    await storage.audit.waitUntilSealed()
    expect(await storage.audit.count({ component: 'members' })).toBe(1 + 2 * many)
    expect(await storage.audit.verify()).toMatchObject({ ok: true })
  })

  test('a dry run leaves nothing, and writes inside one transaction at once do not mix', async () => {
    const { members, badges, storage } = await start()
    const member = (index: number) => ({ email: `e${index}` })
    expect(await members.insertMany(rows(many, member, { email: 'new' }), { dryRun: true })).toHaveLength(many)
    expect(await members.count()).toBe(1)
    await storage.transaction(async ({ kysely }) => {
      const [made, , seen] = await Promise.all([
        members.insertMany(rows(many, member, { email: 'new' })),
        badges.insertMany(rows(many, (index) => ({ id: `i${index}`, label: `l${index}` }), { id: 'x', label: 'x' })),
        sql`SELECT 1 AS one`.execute(kysely),
      ])
      expect([made.length, seen.rows]).toEqual([many, [{ one: 1 }]])
    })
    expect([await members.count(), await badges.count()]).toEqual([1 + many, 1 + many])
  })

  needs(engine, 'overlappingUnits', () => {
    test('rules of the database’s own are obeyed as with a few: checks, triggers, rewriting rules', async () => {
      const { members, badges, storage } = await start()
      const trigger = (name: string, body: string) => [
        `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN NEW; END $$`,
        `CREATE TRIGGER ${name} BEFORE INSERT ON members FOR EACH ROW EXECUTE FUNCTION ${name}()`,
      ]
      const member = (index: number) => ({ email: `e${index}`, code: `c${index}` })
      const both = async (...bad: Record<string, string>[]) => {
        const errors = [many, few].map(async (size) => told(await rejectionOf(members.insertMany(rows(size, member, ...bad)))))
        expect(await errors[0]).toEqual(await errors[1])
        return await errors[0]
      }
      await raw(storage, `ALTER TABLE members ADD CONSTRAINT own CHECK (email <> 'refused')`)
      expect(await both({ email: 'refused' })).toMatchObject({ code: 'internal_error' })
      // The key is broken by an earlier record than the check.
      expect(await both({ email: 'taken' }, { email: 'refused' })).toMatchObject({ code: 'unique_conflict' })
      await raw(storage, 'ALTER TABLE members DROP CONSTRAINT own')
      // What a trigger makes of the id is known.
      await raw(storage, ...trigger('own_ids', 'NEW.id := NEW.id + 1000000;'))
      const numbered = await members.insertMany(rows(many, member, { email: 'x' }))
      expect(await members.get(numbered[5]?.id ?? 0)).toMatchObject({ email: 'e5' })
      expect(numbered.every(({ id }) => id > 1_000_000)).toBe(true)
      await raw(storage, 'DROP TRIGGER own_ids ON members', ...trigger('skips', `IF NEW.email = 'skipped' THEN RETURN NULL; END IF;`))
      const fresh = (index: number) => ({ email: `f${index}` })
      expect(await rejectionOf(members.insertMany(rows(many, fresh, { email: 'skipped' })))).toMatchObject({
        message: expect.stringContaining('triggers of your own'),
      })
      const skipping = [
        `CREATE FUNCTION skips_badges() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.label = 'skipped' THEN RETURN NULL; END IF; RETURN NEW; END $$`,
        'CREATE TRIGGER skips BEFORE INSERT ON badges FOR EACH ROW EXECUTE FUNCTION skips_badges()',
      ]
      await raw(storage, ...skipping)
      const badge = (index: number) => ({ id: `i${index}`, label: `l${index}` })
      expect(await rejectionOf(badges.insertMany(rows(many, badge, { id: 's', label: 'skipped' })))).toMatchObject({
        message: expect.stringContaining('triggers of your own'),
      })
      await raw(
        storage,
        'CREATE TABLE seen (label text)',
        'CREATE RULE own AS ON INSERT TO badges DO ALSO INSERT INTO seen VALUES (NEW.label)',
      )
      await badges.insertMany(rows(many, badge, { id: 's', label: 's' }))
      expect((await sql`SELECT label FROM seen`.execute(storage.kysely)).rows).toHaveLength(many)
    })
  })
})

/** So many records, some of which, from the middle on, are others. */
function rows<T extends object, O extends object>(size: number, make: (index: number) => T, ...others: O[]): T[] {
  const middle = Math.floor(size / 2)
  // The caller sees to it that what is put over a record is of its model.
  return Array.from({ length: size }, (_, index) => ({ ...make(index), ...others[index - middle] }) as T)
}
