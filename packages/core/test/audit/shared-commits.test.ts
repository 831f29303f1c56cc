import { defineModel, ModelAccessor, type Storage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { rejectionOf, storagesOn } from '../support.ts'

/** Entries that a unit finds in the database. */
async function countIn(kysely: Storage['kysely']): Promise<number> {
  const { rows } = await sql<{ count: number | string }>`select count(*) as count from strongroom_audit_log`.execute(kysely)
  return Number(rows[0]?.count)
}

const Note = defineModel('notes', { text: Type.String() })

describeEngines('entries that are written when their unit, or those that share its commit, are done', (engine) => {
  const open = storagesOn(engine)

  async function start() {
    const notes = new ModelAccessor(Note, 'notes')
    const storage = await open([notes])
    /** What the log tells of, and whether all of it holds together. */
    const told = async () => {
      await storage.audit.waitUntilSealed()
      expect(await storage.audit.verify()).toMatchObject({ ok: true })
      return (await storage.audit.find({ component: 'notes' })).map(({ after }) => (after as { text?: string } | null)?.text).toReversed()
    }
    return { storage, notes, told }
  }

  test('are there for whoever asks for them meanwhile', async () => {
    const { storage, notes, told } = await start()
    await storage.transaction(async ({ kysely }) => {
      const { id } = await notes.insert({ text: 'a' })
      await notes.update(id, { text: 'b' })
      expect(await countIn(kysely)).toBe(2)
      await notes.update(id, { text: 'c' })
      expect(await countIn(kysely)).toBe(3)
    })
    expect(await told()).toEqual(['a', 'b', 'c'])
  })

  test('are one for each change, in their order, where there are more than wait together', async () => {
    const { storage, notes, told } = await start()
    const texts = Array.from({ length: 150 }, (_, index) => `note ${index}`)
    await storage.transaction(async () => {
      for (const text of texts.slice(0, 140)) await notes.insert({ text })
      await notes.insertMany(texts.slice(140).map((text) => ({ text })))
    })
    expect(await told()).toEqual(texts)
    await Promise.all(texts.map((text) => notes.insert({ text })))
    expect((await told()).toSorted()).toEqual([...texts, ...texts].toSorted())
  })

  test('go with what is rolled back, and no others, also where they were asked for before', async () => {
    const { storage, notes, told } = await start()
    await storage.transaction(async () => {
      await notes.insert({ text: 'kept' })
      for (const asked of [false, true]) {
        const nested = storage.transaction(async ({ kysely }) => {
          await notes.insert({ text: 'dropped' })
          if (asked) expect(await countIn(kysely)).toBe(3)
          throw new Error('no')
        })
        expect(await rejectionOf(nested)).toMatchObject({ message: 'no' })
        await notes.insert({ text: `after ${asked}` })
      }
    })
    expect(await told()).toEqual(['kept', 'after false', 'after true'])
  })

  test('are missed by nobody but their own unit, where something of the app’s own refuses one', async () => {
    const { storage, notes, told } = await start()
    await storage.transaction(
      async ({ kysely }) => {
        await sql`create unique index own_index on strongroom_audit_log (actor) where actor = 'once'`.execute(kysely)
      },
      { unaudited: true },
    )
    const actors = ['a', 'once', 'b', 'once', 'c']
    const outcomes = await Promise.allSettled(actors.map((actor) => notes.insert({ text: actor }, { actor })))
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1)
    expect((await notes.all()).map(({ text }) => text).toSorted()).toEqual(['a', 'b', 'c', 'once'])
    expect((await told()).toSorted()).toEqual(['a', 'b', 'c', 'once'])
  })
})
