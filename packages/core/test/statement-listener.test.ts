import { AsyncLocalStorage } from 'node:async_hooks'
import { defineModel, ModelAccessor, type RanStatement } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { storagesOn } from './support.ts'

const Note = defineModel('notes', { text: Type.String() })

describeEngines('whoever listens to statements', (engine) => {
  const open = storagesOn(engine)

  test('hears of each one, without its values, in the context of who ran it', async () => {
    const heard: (RanStatement & { readonly by: string | undefined })[] = []
    const caller = new AsyncLocalStorage<string>()
    const notes = new ModelAccessor(Note, 'notes')
    const storage = await open([notes], {
      onStatement: (statement) => heard.push(Object.assign(statement, { by: caller.getStore() })),
    })
    heard.length = 0
    await caller.run('writer', () => notes.insert({ text: 'canary' }))
    await caller.run('reader', () => notes.find({ where: { text: 'canary' } }))
    const insert = heard.find(({ sql }) => /insert into "notes"/i.test(sql))
    expect(insert).toMatchObject({ by: 'writer', failed: false, parameters: expect.arrayContaining(['text(6)']) })
    expect(insert?.duration).toBeGreaterThan(0)
    expect(heard.find(({ sql }) => /^select .*"notes"/i.test(sql))).toMatchObject({ by: 'reader' })
    const before = heard.length
    await caller.run('by id', () => notes.get(1))
    await caller.run('by id', () => notes.getJson(1))
    // What the library does by itself meanwhile is nobody's.
    expect(heard.slice(before).filter(({ by }) => by !== undefined)).toMatchObject([
      { sql: expect.stringMatching(/^select .*"notes"/i), by: 'by id', failed: false },
      { sql: expect.stringMatching(/^select .*"notes"/i), by: 'by id', failed: false },
    ])
    await notes.update(1, () => ({ text: 'other' }))
    expect(heard.slice(before).filter(({ sql }) => sql.startsWith('PRAGMA'))).toEqual([])
    expect(heard.map(({ sql }) => sql)).toContain('COMMIT')
    expect(JSON.stringify(heard.map(({ sql, parameters }) => ({ sql, parameters })))).not.toContain('canary')
    await expect(storage.transaction((session) => session.kysely.selectFrom('nowhere').selectAll().execute())).rejects.toThrow()
    expect(heard.some(({ sql, failed }) => failed || sql === 'ROLLBACK')).toBe(true)
  })
})
