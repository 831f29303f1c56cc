import { defineModel, ModelAccessor, openStorage, type Storage, type StorageOptions } from '@strongroom/core'
import { asSuperuser, freshPostgres } from '@strongroom/testkit'
import { sql } from 'kysely'
import pg from 'pg'
import { Type } from 'typebox'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { gate, rejectionOf } from '../support.ts'

const Person = defineModel('persons', { email: Type.String(), role: Type.Optional(Type.Enum(['a', 'b'])) }, { unique: [['email']] })
const Tag = defineModel('tags', { name: Type.String() }, { id: 'uuid' })
const Owned = defineModel('owned', { org: Type.String(), name: Type.String() }, { tenant: 'org' })

const many = 100
const emails = (count: number, prefix = 'e') => Array.from({ length: count }, (_, index) => ({ email: `${prefix}${index}` }))

describe('many records, on PostgreSQL', () => {
  const cleaning: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const clean of cleaning.splice(0).reverse()) await clean()
  })

  async function freshUrl(): Promise<string> {
    const database = await freshPostgres()
    cleaning.push(database.remove)
    return database.url
  }

  async function open(url: string, options: Partial<StorageOptions> = {}) {
    const [persons, tags] = [new ModelAccessor(Person, 'persons'), new ModelAccessor(Tag, 'tags')]
    const heard: string[] = []
    const storage = await openStorage({
      url,
      accessors: [persons, tags],
      onStatement: ({ sql: text, failed }) => heard.push(failed ? `failed ${text}` : text),
      ...options,
    })
    cleaning.push(() => storage.close())
    /** The tables into which rows are copied meanwhile. */
    const copied = async (work: () => Promise<unknown>): Promise<string[]> => {
      const before = heard.length
      await work()
      return heard.slice(before).flatMap((text) => /^COPY "(\w+)"/.exec(text)?.slice(1) ?? [])
    }
    return { storage, persons, tags, copied }
  }

  const unaudited = (storage: Storage, ...statements: string[]) =>
    storage.transaction(
      async ({ kysely }) => {
        for (const statement of statements) await sql.raw(statement).execute(kysely)
      },
      { unaudited: true },
    )

  test('are copied, and so are their entries, from a hundred on', async () => {
    const { persons, tags, copied } = await open(await freshUrl())
    const log = 'strongroom_audit_log'
    expect(await copied(() => persons.insertMany(emails(many - 1, 'few')))).toEqual([])
    expect(await copied(() => persons.insertMany(emails(many)))).toEqual(['persons', log])
    expect(await copied(() => tags.insertMany(emails(many).map(({ email: name }) => ({ name }))))).toEqual(['tags', log])
    expect(await copied(() => persons.updateMany({ email: { startsWith: 'e' } }, { role: 'a' }))).toEqual([log])
    expect(await copied(() => persons.deleteMany({ email: { startsWith: 'e' } }))).toEqual([log])
    const large = 'x'.repeat(100_000)
    expect(await copied(() => tags.insertMany(emails(many).map(() => ({ name: large }))))).toEqual([
      ...Array.from({ length: 2 }, () => 'tags'),
      ...Array.from({ length: 2 }, () => log),
    ])
    expect(await tags.count({ name: large })).toBe(many)
  })

  test('are not copied where something else than an INSERT would come of it', async () => {
    const { persons, storage, copied } = await open(await freshUrl())
    const log = 'strongroom_audit_log'
    const nothing = `CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`
    const cases: [make: string, undo: string][] = [
      [`CREATE TRIGGER own BEFORE INSERT ON persons FOR EACH ROW EXECUTE FUNCTION nothing()`, 'DROP TRIGGER own ON persons'],
      [`CREATE RULE own AS ON INSERT TO persons DO ALSO NOTIFY somebody`, 'DROP RULE own ON persons'],
      [`ALTER TABLE persons ADD CONSTRAINT own CHECK (email <> 'x')`, 'ALTER TABLE persons DROP CONSTRAINT own'],
      [
        'ALTER TABLE persons ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY own ON persons USING (true)',
        'ALTER TABLE persons DISABLE ROW LEVEL SECURITY',
      ],
      [
        "ALTER TABLE persons ALTER id DROP IDENTITY; CREATE SEQUENCE own; ALTER TABLE persons ALTER id SET DEFAULT nextval('own') + 5000",
        'SELECT 1',
      ],
    ]
    await unaudited(storage, nothing)
    for (const [index, [make, undo]] of cases.entries()) {
      expect(await copied(() => persons.insertMany(emails(many, `before ${index} `)))).toEqual(['persons', log])
      await unaudited(storage, ...make.split('; '))
      expect(await copied(() => persons.insertMany(emails(many, `case ${index} `)))).toEqual([log])
      expect(await persons.count({ email: { startsWith: `case ${index} ` } })).toBe(many)
      await unaudited(storage, undo)
    }
    // Triggers that come later, and those of statements, do no harm, and an identity that takes no ids of others takes these.
    await unaudited(
      storage,
      `ALTER TABLE persons ALTER id DROP DEFAULT, ALTER id ADD GENERATED ALWAYS AS IDENTITY (START 100000)`,
      `CREATE TRIGGER own AFTER INSERT ON persons FOR EACH ROW EXECUTE FUNCTION nothing()`,
      `CREATE TRIGGER own_statement BEFORE INSERT ON persons FOR EACH STATEMENT EXECUTE FUNCTION nothing()`,
    )
    const made = await persons.insertMany(emails(many, 'last '))
    expect([made[0]?.id, made.at(-1)?.id]).toEqual([100_000, 100_000 + many - 1])
    expect((await persons.insert({ email: 'after' })).id).toBe(100_000 + many)
  })

  test('go as lists where policies hold the tables, and are held', async () => {
    const owned = new ModelAccessor(Owned, 'owned')
    const { copied } = await open(await freshUrl(), { accessors: [owned] })
    const red = { principal: { id: 1, tenant: 'red' } }
    const rows = Array.from({ length: many }, (_, index) => ({ name: `n${index}` }))
    expect(await copied(() => owned.insertMany(rows, red))).toEqual([])
    expect(await owned.count({}, { principal: { id: 2, tenant: 'blue' } })).toBe(0)
    expect(await owned.count({}, red)).toBe(many)
  })

  test('go as lists for a role that may not draw ids', async () => {
    const url = await freshUrl()
    const owner = await open(url)
    await owner.persons.insert({ email: 'first' })
    await owner.storage.close()
    const role = `writer_${crypto.randomUUID().replaceAll('-', '')}`
    const schema = /search_path=(\w+)/.exec(decodeURIComponent(url))?.[1] ?? ''
    const client = new pg.Client(url)
    await asSuperuser((superuser) => superuser.query(`CREATE ROLE ${role} LOGIN PASSWORD 'writer'`))
    cleaning.push(() => asSuperuser((superuser) => superuser.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)))
    await client.connect()
    await client.query(
      `GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA ${schema} TO ${role}`,
    )
    await client.end()
    const their = new URL(url)
    their.username = role
    their.password = 'writer'
    const { persons, copied } = await open(their.href.replaceAll('+', '%20'), { createTables: false })
    expect(await copied(() => persons.insertMany(emails(many)))).toEqual(['strongroom_audit_log'])
    expect(await persons.count()).toBe(1 + many)
  })

  describe('held up in the middle', () => {
    /** A unit that copies a key which another unit has, and has not committed. */
    async function heldUp(options: Partial<StorageOptions> = {}) {
      const url = await freshUrl()
      const { storage, persons } = await open(url, options)
      const holder = await open(url)
      const [taken, done] = [gate(), gate()]
      const holding = holder.storage.transaction(async () => {
        await holder.persons.insert({ email: 'e50' })
        taken.open()
        await done.opened
      })
      await taken.opened
      const writing = persons.insertMany(emails(3_000))
      const outcome = rejectionOf(writing)
      const waiting = async () => {
        const { rows } = await asSuperuser((client) =>
          client.query(
            `SELECT pid FROM pg_stat_activity WHERE query LIKE 'COPY "persons"%' AND wait_event_type = 'Lock'
            AND pg_blocking_pids(pid) <> '{}' AND $1 = ANY (SELECT n.nspname FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
              JOIN pg_namespace n ON n.oid = c.relnamespace WHERE l.pid = pg_stat_activity.pid)`,
            [/search_path=(\w+)/.exec(decodeURIComponent(url))?.[1]],
          ),
        )
        expect(rows).toHaveLength(1)
        return Number(rows[0].pid)
      }
      const end = async () => {
        done.open()
        await holding
      }
      return { storage, persons, outcome, waiting, end }
    }

    test('they end with the time limit of their unit, and nothing of them stays', async () => {
      const { storage, persons, outcome, end } = await heldUp({ transactionTimeLimit: 300 })
      expect(await outcome).toMatchObject({ code: 'transaction_timeout' })
      await end()
      expect([await persons.count(), await storage.audit.count()]).toEqual([1, 1])
      expect(await persons.insertMany(emails(many, 'next '))).toHaveLength(many)
    })

    test('a session that is ended leaves nothing, and the next one goes on', async () => {
      const { storage, persons, outcome, waiting, end } = await heldUp()
      const pid = await vi.waitFor(waiting)
      await asSuperuser((client) => client.query('SELECT pg_terminate_backend($1)', [pid]))
      expect(await outcome).toMatchObject({ code: 'storage_unavailable' })
      await end()
      expect([await persons.count(), await storage.audit.count()]).toEqual([1, 1])
      expect(await persons.insertMany(emails(many, 'next '))).toHaveLength(many)
    })

    test('they are refused once the other one has committed, as a few would be', async () => {
      const { persons, outcome, waiting, end } = await heldUp()
      await vi.waitFor(waiting)
      await end()
      expect(await outcome).toMatchObject({ code: 'unique_conflict', fields: ['email'] })
      expect(await persons.count()).toBe(1)
    })
  })
})
