import { join } from 'node:path'
import { defineModel, ModelAccessor, Ref } from '@strongroom/core'
import { asSuperuser, describeEngines, needs, tempFolder } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, onTestFinished, test } from 'vitest'
import { rawDatabase } from '../audit/raw-database.ts'
import { rejectionOf, storagesOn } from '../support.ts'

const Person = defineModel('people', { name: Type.String() })
const Pet = defineModel('pets', { name: Type.String(), owner_id: Ref(() => Person) })

describeEngines('what somebody has hung on the tables of a database', (engine) => {
  const open = storagesOn(engine)

  const start = async (url: string) => {
    const folder = await tempFolder('attached')
    onTestFinished(folder.remove)
    const people = new ModelAccessor(Person, 'people')
    const storage = await open([people, new ModelAccessor(Pet, 'pets')], { url })
    await people.insert({ name: 'Ann' })
    const backup = join(folder.path, 'backup.sqlite')
    await storage.backup(backup)
    const raw = await rawDatabase(url)
    onTestFinished(() => raw.close())
    return { people, storage, backup, raw }
  }

  /** A URL of a schema for an ordinary role, and one more role. */
  const ownUrl = async () => {
    // Default privileges are a role's own.
    const url = new URL(await engine.freshUrl())
    const schema = (url.searchParams.get('options') ?? '').replace('-c search_path=', '')
    const [owner, reader] = [`owner_of_${schema}`, `reader_of_${schema}`]
    await asSuperuser(async (client) => {
      await client.query(
        `CREATE ROLE ${owner} LOGIN PASSWORD 'owner'; CREATE ROLE ${reader}; GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${owner}`,
      )
      const { rows } = await client.query('SELECT current_database() AS name')
      await client.query(`GRANT CREATE ON DATABASE "${rows[0].name}" TO ${owner}`)
    })
    onTestFinished(() =>
      asSuperuser(
        async (client) =>
          void (await client.query(`DROP OWNED BY ${owner} CASCADE; DROP OWNED BY ${reader}; DROP ROLE ${owner}, ${reader}`)),
      ),
    )
    Object.assign(url, { username: owner, password: 'owner' })
    return { url: url.href.replaceAll('+', '%20'), schema, reader }
  }

  test('such as a table of the app itself, is there afterwards', async () => {
    const url = await engine.freshUrl()
    const own = await rawDatabase(url)
    await own.run('CREATE TABLE badges (name text)')
    await own.close()
    const { people, storage, backup, raw } = await start(url)
    await people.insert({ name: 'New' })
    expect(await storage.restore(backup)).toMatchObject({ restored: true })
    expect(await raw.all('SELECT * FROM badges')).toEqual([])
    expect(await people.count()).toBe(1)
  })

  needs(engine, 'sessions', () => {
    test('and would go on meaning those that leave stands against a restore, by name, and nothing is touched', async () => {
      const { people, storage, backup, raw } = await start(await engine.freshUrl())
      await people.insert({ name: 'New' })
      await raw.run('CREATE VIEW names AS SELECT name FROM people; CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM pets')
      await raw.run('CREATE TABLE badges (person_id bigint CONSTRAINT badge_owner REFERENCES people)')
      const refused = await rejectionOf(storage.restore(backup))
      const names = /: reference badge_owner of badges, view counted, view names\./
      expect(refused).toMatchObject({ code: 'state_conflict', message: expect.stringMatching(names) })
      expect(await people.count()).toBe(2)
      await raw.run('DROP VIEW names; DROP MATERIALIZED VIEW counted; DROP TABLE badges')
      expect(await storage.restore(backup)).toMatchObject({ restored: true })
      expect(await people.count()).toBe(1)
    })

    test('hangs on those that come, and nothing else: owners, grants, policies, triggers', async () => {
      const { url, reader } = await ownUrl()
      const { people, storage, backup, raw } = await start(url)
      await raw.run(`GRANT SELECT ON people TO PUBLIC; GRANT SELECT, INSERT ON pets TO ${reader} WITH GRANT OPTION;
        GRANT UPDATE (seq, hash) ON strongroom_audit_log TO ${reader}; GRANT USAGE ON SEQUENCE people_id_seq TO ${reader};
        ALTER TABLE people ENABLE ROW LEVEL SECURITY; CREATE POLICY named ON people FOR SELECT TO ${reader} USING (name <> 'hidden');
        CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE TRIGGER switched_off BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION stop(); ALTER TABLE people DISABLE TRIGGER switched_off;
        CREATE TRIGGER on_pets AFTER UPDATE OF name ON pets FOR EACH ROW WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION stop()`)
      const here = 'relnamespace = current_schema()::regnamespace'
      const attached = async () => ({
        tables: await raw.all(`SELECT relname, pg_get_userbyid(relowner) AS owner,
          coalesce(relacl, acldefault((CASE relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char", relowner))::text AS grants, relrowsecurity, relforcerowsecurity FROM pg_class
          WHERE ${here} AND relkind IN ('r', 'S') ORDER BY relname`),
        columns: await raw.all(`SELECT relname, attname, attacl::text FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
          WHERE ${here} AND attacl IS NOT NULL ORDER BY 1, 2`),
        policies: await raw.all('SELECT * FROM pg_policies WHERE schemaname = current_schema() ORDER BY tablename, policyname'),
        triggers: await raw.all(`SELECT pg_get_triggerdef(t.oid) AS text, tgenabled FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
          WHERE ${here} AND NOT tgisinternal ORDER BY 1`),
      })
      const before = await attached()
      expect(before.columns).toHaveLength(2)
      expect(before.triggers.filter(({ tgenabled }) => tgenabled === 'D')).toHaveLength(1)
      await raw.run(
        `ALTER DEFAULT PRIVILEGES GRANT DELETE ON TABLES TO ${reader}; ALTER DEFAULT PRIVILEGES GRANT SELECT ON SEQUENCES TO ${reader}`,
      )
      await storage.restore(backup)
      expect(await attached()).toEqual(before)
      await people.insert({ name: 'works on' })
    })

    test('is known to replication, as those were that leave', async () => {
      const { url, schema } = await ownUrl()
      const { people, storage, backup, raw } = await start(url)
      await raw.run(`CREATE PUBLICATION rows_of_${schema} FOR TABLE pets (owner_id, id) WHERE (owner_id > 1), TABLE people WITH (publish = 'insert');
        CREATE PUBLICATION all_of_${schema} FOR TABLE pets; ALTER TABLE pets REPLICA IDENTITY FULL;
        ALTER TABLE people REPLICA IDENTITY USING INDEX people_pkey; ALTER TABLE people SET (fillfactor = 80, autovacuum_enabled = false)`)
      await asSuperuser((client) => client.query(`CREATE PUBLICATION everything_of_${schema} FOR TABLES IN SCHEMA ${schema}`))
      onTestFinished(() => asSuperuser(async (client) => void (await client.query(`DROP PUBLICATION everything_of_${schema}`))))
      const replicated = async () => ({
        tables: await raw.all(`SELECT relname, relreplident, reloptions, indexrelid::regclass::text FROM pg_class c
          LEFT JOIN pg_index ON indrelid = c.oid AND indisreplident WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' ORDER BY 1`),
        published: await raw.all(
          `SELECT * FROM pg_publication_tables WHERE strpos(pubname, '${schema}') > 0 ORDER BY pubname, schemaname, tablename`,
        ),
      })
      const before = await replicated()
      expect(before.published.length).toBeGreaterThan(3 + 2)
      expect(before.tables.filter(({ relreplident }) => relreplident !== 'd')).toHaveLength(2)
      await storage.restore(backup)
      expect(await replicated()).toEqual(before)
      await people.insert({ name: 'works on' })
      await storage.undoRestore()
      expect(await replicated()).toEqual(before)
    })

    test('is in no publication of a role that this one is not, and in no subscription: both stand against a restore', async () => {
      const { url, schema } = await ownUrl()
      const { people, storage, backup, raw } = await start(url)
      await raw.run(`CREATE PUBLICATION pets_of_${schema} FOR TABLE pets`)
      await asSuperuser(async (client) => {
        await client.query(`CREATE PUBLICATION theirs_${schema} FOR TABLE ${schema}.people`)
        await client.query(
          `CREATE SUBSCRIPTION from_${schema} CONNECTION '' PUBLICATION elsewhere WITH (connect = false, slot_name = NONE)`,
        )
        // What a connection to the publisher would enter there.
        await client.query(`SET allow_system_table_mods = on; INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate)
          SELECT oid, '${schema}.people'::regclass, 'r' FROM pg_subscription WHERE subname = 'from_${schema}'`)
      })
      const refused = await rejectionOf(storage.restore(backup))
      const names = new RegExp(`: publication theirs_${schema} of the role .+, subscription from_${schema}\\.`)
      expect(refused).toMatchObject({ code: 'state_conflict', message: expect.stringMatching(names) })
      await asSuperuser((client) => client.query(`DROP SUBSCRIPTION from_${schema}`))
      await asSuperuser((client) => client.query(`DROP PUBLICATION theirs_${schema}`))
      await people.insert({ name: 'New' })
      expect(await storage.restore(backup)).toMatchObject({ restored: true })
      expect(await people.count()).toBe(1)
    })
  })
})
