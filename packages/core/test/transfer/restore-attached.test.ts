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
      const { people, storage, backup, raw } = await start(url.href.replaceAll('+', '%20'))
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
  })
})
