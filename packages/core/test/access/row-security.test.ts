import { defineModel, ModelAccessor, openStorage, type Principal, Ref, type Storage } from '@strongroom/core'
import { describeEngines, needs } from '@strongroom/testkit'
import fc from 'fast-check'
import { sql } from 'kysely'
import pg from 'pg'
import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reachSql } from '../../src/engine/postgres/row-security.ts'
import { everyOf, rejectionOf } from '../support.ts'

const Customer = defineModel(
  'customers',
  { org: Type.String({ maxLength: 300 }), email: Type.String() },
  { tenant: 'org', unique: [['org', 'email']], softDelete: true },
)
const Order = defineModel(
  'orders',
  { org: Type.String({ maxLength: 300 }), customer_id: Ref(() => Customer, { onDelete: 'cascade' }), total: Type.Integer() },
  { tenant: 'org' },
)
const Note = defineModel('notes', { text: Type.String() })
const Counted = defineModel('counted', { site: Type.Integer(), name: Type.String() }, { tenant: 'site' })
const Owner = defineModel('owners', { name: Type.String() }, { id: 'uuid' })
const Unique = defineModel('unique_things', { owner: Ref(() => Owner), name: Type.String() }, { tenant: 'owner' })

const red: Principal = { id: 1, tenant: 'red' }
const blue: Principal = { id: 2, tenant: 'blue' }
const nowhere: Principal = { id: 3 }
const everywhere: Principal = { id: 4, tenant: '*' }

interface Row {
  readonly org: string
}

describeEngines('row-level security', (database) => {
  const customers = new ModelAccessor(Customer, 'customers')
  const orders = new ModelAccessor(Order, 'orders')
  const notes = new ModelAccessor(Note, 'notes')
  const counted = new ModelAccessor(Counted, 'counted')
  const owners = new ModelAccessor(Owner, 'owners')
  const uniques = new ModelAccessor(Unique, 'uniques')
  let url: string
  let storage: Storage

  beforeAll(async () => {
    url = await database.freshUrl()
    const accessors = [customers, orders, notes, counted, owners, uniques]
    // Its one connection is used by everybody in turn: what is said for one caller must not be left on it for the next.
    storage = (await openStorage({ url, accessors, postgres: { poolSize: 1 } })) as unknown as Storage
    await customers.insert({ email: 'a@example.com' }, { principal: red })
    await customers.insert({ email: 'b@example.com' }, { principal: blue })
    await orders.insert({ customer_id: 1, total: 10 }, { principal: red })
    await orders.insert({ customer_id: 2, total: 20 }, { principal: blue })
    await notes.insert({ text: 'of nobody' })
  })

  afterAll(() => storage.close())

  /** Statements that know nothing of tenants, on behalf of a caller. */
  const orgsFor = async (caller: Parameters<Storage['actingAs']>[0]) => {
    const { rows } = await storage.actingAs(caller, () => sql<Row>`SELECT org FROM customers ORDER BY org`.execute(storage.kysely))
    return rows.map(({ org }) => org)
  }

  test('holds statements by hand to the caller’s tenant, where there is any', async () => {
    expect(await orgsFor({})).toEqual(['blue', 'red'])
    expect(await orgsFor({ principal: red })).toEqual(database.has('rowSecurity') ? ['red'] : ['blue', 'red'])
  })

  needs(database, 'rowSecurity', () => {
    /** As the owner of the tables, who is no superuser, past the library. */
    const connected = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
      const client = new pg.Client(url)
      await client.connect()
      try {
        return await work(client)
      } finally {
        await client.end()
      }
    }
    const count = async (client: pg.Client, table: string): Promise<number> =>
      Number((await client.query(`SELECT count(*) AS count FROM ${table}`)).rows[0].count)
    const held = ['customers', 'orders', 'counted', 'unique_things', 'strongroom_audit_log', 'strongroom_kept_answers']

    describe('on a connection past the library', () => {
      test('which says nothing, the owner of the tables sees no row of them', async () => {
        await connected(async (client) => {
          const { rows } = await client.query(
            `SELECT rolsuper OR rolbypassrls AS passes, pg_get_userbyid(relowner) = current_user AS owns FROM pg_roles, pg_class
             WHERE rolname = current_user AND pg_class.oid = 'customers'::regclass`,
          )
          expect(rows).toEqual([{ passes: false, owns: true }])
          for (const table of held) expect([table, await count(client, table)]).toEqual([table, 0])
          expect(await count(client, 'notes')).toBe(1)
        })
      })

      test('what a transaction said is forgotten with it', async () => {
        await connected(async (client) => {
          await client.query(`BEGIN; ${reachSql({ tenant: 'red' })}`)
          expect(await count(client, 'customers')).toBe(1)
          await client.query('COMMIT')
          expect(await count(client, 'customers')).toBe(0)
          // Behind a pooler of transactions it is somebody else's connection from now on.
          await client.query(`BEGIN; ${reachSql('every')}; COMMIT`)
          expect(await count(client, 'customers')).toBe(0)
        })
      })

      test('a tenant sees the answers that are kept for it, and nobody else’s', async () => {
        const once = (caller: Parameters<Storage['actingAs']>[0], answer: string) =>
          storage.actingAs(caller, () => customers.once({ key: 'the same for all', scope: [], content: 'a' }, async () => answer))
        const callers = [
          [{ principal: red }, 'of red'],
          [{ principal: blue }, 'of blue'],
          [{ principal: nowhere }, 'of nowhere'],
          [{}, 'of all'],
        ] as const
        for (const [caller, answer] of callers) expect(await once(caller, answer)).toEqual({ answer, replayed: false })
        for (const [caller, answer] of callers) expect(await once(caller, 'another')).toEqual({ answer, replayed: true })
        await connected(async (client) => {
          const answers = async () =>
            (await client.query('SELECT answer FROM strongroom_kept_answers ORDER BY 1')).rows.map(({ answer }) => answer)
          expect(await answers()).toEqual([])
          await client.query(`SET strongroom.tenant = 'red'`)
          expect(await answers()).toEqual(['"of red"'])
          expect((await client.query(`UPDATE strongroom_kept_answers SET answer = 'x' WHERE tenant IS DISTINCT FROM 'red'`)).rowCount).toBe(
            0,
          )
          expect(await rejectionOf(client.query(`UPDATE strongroom_kept_answers SET tenant = 'blue'`))).toMatchObject({ code: '42501' })
          await client.query(`SET strongroom.every_tenant = 'on'`)
          expect(await answers()).toHaveLength(4)
          // An older version has not said whose they are.
          await client.query('UPDATE strongroom_kept_answers SET tenant = NULL')
        })
        for (const [caller, answer] of callers) expect(await once(caller, 'another')).toEqual({ answer, replayed: true })
      })

      test('a tenant sees and writes its own rows, and entries of the log', async () => {
        await connected(async (client) => {
          await client.query(`SET strongroom.tenant = 'red'`)
          expect((await client.query('SELECT DISTINCT org FROM customers UNION SELECT org FROM orders')).rows).toEqual([{ org: 'red' }])
          expect((await client.query('SELECT DISTINCT tenant FROM strongroom_audit_log')).rows).toEqual([{ tenant: 'red' }])
          expect((await client.query(`UPDATE orders SET total = 0 WHERE org <> 'red'`)).rowCount).toBe(0)
          expect((await client.query(`DELETE FROM orders WHERE org <> 'red'`)).rowCount).toBe(0)
          const strange = client.query(`INSERT INTO customers (org, email, row_version) VALUES ('blue', 'x', 'x')`)
          expect(await rejectionOf(strange)).toMatchObject({ code: '42501' })
          expect(await rejectionOf(client.query(`UPDATE customers SET org = 'blue'`))).toMatchObject({ code: '42501' })
        })
      })

      test('who says so sees every tenant', async () => {
        await connected(async (client) => {
          await client.query(`SET strongroom.every_tenant = 'on'`)
          expect(await count(client, 'customers')).toBe(2)
        })
      })
    })

    test('a read says whose rows it touches for itself alone, and not for what comes next on its connection', async () => {
      // Nothing is said for this table: its policy sees what was left.
      const left = (name: string): string => `coalesce(current_setting('strongroom.${name}', true), '')`
      await connected(async (client) => {
        await client.query(`CREATE POLICY leftovers ON notes USING (${left('tenant')} = '' AND ${left('every_tenant')} = '')`)
        await client.query('ALTER TABLE notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY')
      })
      for (const caller of [{ principal: red }, {}]) {
        // From the second time on it is prepared.
        for (let time = 0; time < 4; time++) expect((await storage.actingAs(caller, () => customers.all())).length).toBeGreaterThan(0)
        expect(await notes.count()).toBe(1)
      }
      await connected(async (client) => {
        await client.query('ALTER TABLE notes NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY')
        await client.query('DROP POLICY leftovers ON notes')
      })
    })

    describe('statements of a caller that know nothing of tenants', () => {
      test.each([
        ['a tenant', { principal: red }, ['red']],
        ['code that acts for a tenant', { tenant: 'blue' }, ['blue']],
        ['code that acts for itself, within a tenant', { tenant: 'blue', access: 'system' }, ['blue']],
        ['a principal of no tenant', { principal: nowhere }, []],
        ['a principal of all of them', { principal: everywhere }, ['blue', 'red']],
        ['code that acts for itself', {}, ['blue', 'red']],
      ] as const)('%s', async (_who, caller, orgs) => {
        expect(await orgsFor(caller)).toEqual(orgs)
        const inside = storage.transaction(({ kysely }) => sql<Row>`SELECT org FROM customers ORDER BY org`.execute(kysely), caller)
        expect((await inside).rows.map(({ org }) => org)).toEqual(orgs)
      })

      test('in a nested transaction are held to that one’s tenant, and afterwards to the outer one’s again', async () => {
        await storage.transaction(async ({ kysely }) => {
          const seen = async (handle: typeof kysely) => (await sql<Row>`SELECT org FROM customers ORDER BY org`.execute(handle)).rows
          expect(await seen(kysely)).toHaveLength(2)
          await storage.transaction(async (inner) => expect(await seen(inner.kysely)).toEqual([{ org: 'red' }]), { tenant: 'red' })
          const failing = storage.transaction(
            async (inner) => {
              await customers.insert({ email: 'a@example.com' })
              return seen(inner.kysely)
            },
            { tenant: 'red' },
          )
          expect(await rejectionOf(failing)).toMatchObject({ code: 'unique_conflict' })
          expect(await seen(kysely)).toHaveLength(2)
          expect(await customers.find({ tenant: 'blue' })).toHaveLength(1)
          expect(await customers.count()).toBe(2)
          expect(await seen(kysely)).toHaveLength(2)
        })
      })

      test('cannot write what is another tenant’s, whatever they are allowed', async () => {
        const unaudited = { principal: red, unaudited: true, dryRun: true }
        const strange = storage.transaction(
          ({ kysely }) => sql`INSERT INTO customers (org, email, row_version) VALUES ('blue', 'x', 'x')`.execute(kysely),
          unaudited,
        )
        expect(await rejectionOf(strange)).toMatchObject({ code: 'forbidden' })
        await storage.transaction(async ({ kysely }) => {
          expect(await sql`UPDATE orders SET total = 1`.execute(kysely)).toMatchObject({ numAffectedRows: 1n })
          await sql`SELECT set_config('strongroom.every_tenant', 'on', true)`.execute(kysely)
          expect(await sql`UPDATE orders SET total = 2`.execute(kysely)).toMatchObject({ numAffectedRows: 1n })
        }, unaudited)
      })

      test('of many callers at once, on few connections, see each their own', async () => {
        const callers = Array.from({ length: 60 }, (_, index) => [red, blue, nowhere, undefined][index % 4])
        const seen = await Promise.all(callers.map((principal) => orgsFor(principal ? { principal } : {})))
        for (const [index, orgs] of seen.entries()) expect(orgs).toEqual([['red'], ['blue'], [], ['blue', 'red']][index % 4])
      })
    })

    test('the name of a tenant is a name, whatever it looks like', async () => {
      const odd = ['*', 'on', '', `o'neill`, "'; SET strongroom.every_tenant = 'on' --", String.raw`back\slash\'`, 'é 😀', '%s', '"x"']
      const name = fc.oneof(fc.constantFrom(...odd), fc.string({ minLength: 1, unit: 'binary' })).filter((text) => text !== '')
      await fc.assert(
        fc.asyncProperty(name, async (tenant) => {
          expect(await orgsFor({ tenant })).toEqual([])
          if (tenant.includes('\0') || !tenant.isWellFormed() || tenant.length > 300) return
          const made = await customers.insert({ email: 'x' }, { tenant })
          expect(await orgsFor({ tenant })).toEqual([tenant])
          await customers.purge(made.id, { tenant })
        }),
        { numRuns: 60, examples: odd.slice(0, 2).map((text) => [text]) },
      )
    })

    test('tenants that are numbers and UUIDs are compared as such, and what is none is nobody’s', async () => {
      const { id: owner } = await owners.insert({ name: 'x' })
      await counted.insert({ name: 'x' }, { tenant: '7' })
      await uniques.insert({ name: 'x' }, { tenant: owner.toUpperCase() })
      const countFor = async (tenant: string, table: string) =>
        (await storage.actingAs({ tenant }, () => sql`SELECT 1 AS one FROM ${sql.table(table)}`.execute(storage.kysely))).rows.length
      expect([await countFor('7', 'counted'), await countFor('07', 'counted'), await countFor('x', 'counted')]).toEqual([1, 0, 0])
      expect([await countFor(owner, 'unique_things'), await countFor('7', 'unique_things')]).toEqual([1, 0])
      expect([await counted.count({}, { tenant: '7' }), await uniques.count({}, { tenant: owner.toUpperCase() })]).toEqual([1, 1])
    })

    test('streams and exports of a tenant have its rows', async () => {
      expect(await everyOf(orders.stream({ principal: red }))).toHaveLength(1)
      expect(await everyOf(storage.actingAs({ principal: blue }, () => storage.audit.stream()))).not.toHaveLength(0)
      expect(await storage.actingAs({ principal: nowhere }, () => storage.audit.find())).toEqual([])
    })

    test('what a principal of no tenant does is logged', async () => {
      const { id } = await notes.insert({ text: 'x' }, { principal: nowhere })
      expect(await storage.audit.find({ component: 'notes', record_id: id })).toHaveLength(1)
    })
  })
})
