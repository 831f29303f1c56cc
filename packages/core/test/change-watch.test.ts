import { defineModel, ModelAccessor, Ref } from '@strongroom/core'
import { describeEngines, needs } from '@strongroom/testkit'
import Database from 'better-sqlite3'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { expect, onTestFinished, test } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'
import { freshFolder } from './transfer/schedule-support.ts'

const User = defineModel('users', { name: Type.String() })
const Note = defineModel('notes', { text: Type.String(), user_id: Type.Optional(Ref(() => User, { onDelete: 'cascade' })) })

describeEngines('storage.watch', (engine) => {
  const open = storagesOn(engine)
  const start = async (url?: string) => {
    const accessors = [new ModelAccessor(User, 'users'), new ModelAccessor(Note, 'notes')] as const
    const [users, notes] = accessors
    const opened = url ?? (await engine.freshUrl())
    const storage = await open([users, notes], { url: opened })
    return { users, notes, storage, url: opened, ofUsers: storage.watch([users]), ofBoth: storage.watch([users, notes]) }
  }

  needs(engine, 'sessions', () => {
    test('cannot tell of a server, where others commit unheard', async () => {
      const { users, ofUsers } = await start()
      expect(ofUsers()).toBeUndefined()
      await users.insert({ name: 'Ada' })
      expect(ofUsers()).toBeUndefined()
    })
  })

  needs(engine, 'oneFile', () => {
    type Setting = Awaited<ReturnType<typeof start>>
    const commit = (storage: Setting['storage'], text: string) =>
      storage.transaction(({ kysely }) => sql.raw(text).execute(kysely), { unaudited: true })

    const changes: readonly (readonly [string, (setting: Setting) => unknown])[] = [
      ['an insert', ({ users }) => users.insert({ name: 'new' })],
      ['an update', ({ users }) => users.update(1, { name: 'other' })],
      ['a delete', ({ users }) => users.delete(1)],
      ['an upsert', ({ users }) => users.upsertMany([{ id: 1, name: 'other' }], { on: ['id'] })],
      ['a cascade', ({ users }) => users.deleteMany({})],
      ['a transaction', ({ users, storage }) => storage.transaction(() => users.update(1, { name: 'other' }))],
      ['SQL', ({ storage }) => commit(storage, `UPDATE "users" SET name = 'x'`)],
      ['SQL in other letters', ({ storage }) => commit(storage, `update Users set name = 'x'`)],
      ['SQL with a schema', ({ storage }) => commit(storage, `UPDATE "main"."users" SET name = 'x'`)],
      [
        'SQL with a table before it',
        ({ storage }) => commit(storage, `WITH x(n) AS (SELECT 'x') UPDATE "users" SET name = (SELECT n FROM x)`),
      ],
      ['another table', ({ storage }) => commit(storage, 'ALTER TABLE "users" ADD COLUMN more TEXT')],
      [
        'a restore',
        async ({ storage, users }) => {
          const file = `${await freshFolder()}/backup.sqlite`
          await storage.backup(file)
          await users.update(1, { name: 'since' })
          const before = storage.watch([users])()
          await storage.restore(file)
          expect(storage.watch([users])()).toBeGreaterThan(before ?? 0)
        },
      ],
      [
        'another program',
        ({ url }) => {
          const other = new Database(url.replace('sqlite:', ''))
          other.exec(`UPDATE users SET name = 'x'`)
          other.close()
        },
      ],
      [
        'another storage of the same file',
        async ({ url }) => {
          const { users } = await start(url)
          await users.update(1, { name: 'other' })
        },
      ],
      [
        'a trigger of somebody',
        async ({ storage, notes, ofUsers }) => {
          await commit(storage, `CREATE TRIGGER somebodys AFTER INSERT ON notes BEGIN UPDATE users SET name = 'x'; END`)
          const before = ofUsers() ?? 0
          await notes.insert({ text: 'b' })
          expect(ofUsers()).toBeGreaterThan(before)
        },
      ],
      [
        'a trigger that another program makes while statements are ready',
        async ({ url, notes, ofUsers }) => {
          const other = new Database(url.replace('sqlite:', ''))
          onTestFinished(() => void other.close())
          other.exec(`CREATE TRIGGER somebodys AFTER INSERT ON notes BEGIN UPDATE users SET name = 'x'; END`)
          const before = ofUsers() ?? 0
          await notes.insert({ text: 'b' })
          expect(ofUsers()).toBeGreaterThan(before)
        },
      ],
    ]

    test.each(changes)('tells of %s', async (_, change) => {
      const setting = await start()
      const { users, notes, ofUsers, ofBoth } = setting
      await users.insertMany([{ name: 'Ada' }, { name: 'Bob' }])
      await notes.insert({ text: 'a', user_id: 1 })
      const [before, both] = [ofUsers() ?? Number.NaN, ofBoth() ?? Number.NaN]
      expect([ofUsers(), ofBoth()]).toEqual([before, both])
      await change(setting)
      expect(ofUsers()).toBeGreaterThan(before)
      expect(ofBoth()).toBeGreaterThan(both)
    })

    test('stays the same while others’ records change, and all is read', async () => {
      const { users, notes, storage, ofUsers, ofBoth } = await start()
      await users.insert({ name: 'Ada' })
      const [before, both] = [ofUsers(), ofBoth()]
      await notes.insert({ text: 'a' })
      await notes.updateMany({}, { text: 'b' })
      await users.find()
      await storage.audit.find()
      expect(ofUsers()).toBe(before)
      expect(ofBoth()).toBeGreaterThan(both ?? Number.NaN)
    })

    test('tells of nothing before it is committed, and of what was undone at most in vain', async () => {
      const { users, storage, ofUsers } = await start()
      const before = ofUsers() ?? Number.NaN
      await storage.transaction(async () => {
        await users.insert({ name: 'Ada' })
        expect(ofUsers()).toBe(before)
      })
      const after = ofUsers() ?? Number.NaN
      expect(after).toBeGreaterThan(before)
      const failure = rejectionOf(
        storage.transaction(async () => {
          await users.insert({ name: 'Bob' })
          throw new Error('no')
        }),
      )
      expect(await failure).toMatchObject({ message: 'no' })
      expect(ofUsers()).toBeGreaterThanOrEqual(after)
    })

    test('does not say anything of a table that the database itself changes', async () => {
      const { storage, users, ofUsers } = await start()
      await commit(storage, 'CREATE TABLE theirs (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users ON DELETE CASCADE)')
      expect(ofUsers()).toEqual(expect.any(Number))
      const theirs = storage.watch([{ model: { ...users.model, name: 'theirs' } }])
      expect(theirs()).toBeUndefined()
    })
  })
})
