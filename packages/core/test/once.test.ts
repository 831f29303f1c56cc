import { defineModel, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { beforeEach, expect, test } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'

const Note = defineModel('notes', { text: Type.String() })

describeEngines('work that is done once for a key', (engine) => {
  const open = storagesOn(engine)
  let notes: ModelAccessor<typeof Note>
  beforeEach(async () => {
    notes = new ModelAccessor(Note, 'notes')
    await open([notes])
  })

  const add = (text: string, key = 'k', scope: readonly string[] = []) =>
    notes.once({ key, scope, content: text }, async () => ({ id: (await notes.insert({ text })).id }))

  test('the second time gets the first answer and does nothing', async () => {
    const first = await add('a')
    const second = await add('a')
    expect(first).toEqual({ answer: { id: 1 }, replayed: false })
    expect(second).toEqual({ answer: { id: 1 }, replayed: true })
    expect(await notes.count()).toBe(1)
  })

  test('another key, or the same in another scope, is another request', async () => {
    await Promise.all([add('a'), add('a', 'other'), add('a', 'k', ['somebody else'])])
    expect(await notes.count()).toBe(3)
  })

  test('the same key with another content is refused', async () => {
    await add('a')
    expect(await rejectionOf(add('b'))).toMatchObject({ code: 'idempotency_mismatch', status: 422 })
    expect(await notes.count()).toBe(1)
  })

  test('a throw keeps nothing: the next try does the work', async () => {
    const failing = notes.once({ key: 'k', scope: [], content: 'a' }, async () => {
      await notes.insert({ text: 'a' })
      throw new Error('the answer was never made')
    })
    await rejectionOf(failing)
    expect(await notes.count()).toBe(0)
    expect(await add('a')).toMatchObject({ replayed: false })
  })

  test('of 16 at once one does the work, and all get its answer', async () => {
    const results = await Promise.all(Array.from({ length: 16 }, () => add('a')))
    expect(results.filter((result) => !result.replayed)).toHaveLength(1)
    expect(new Set(results.map((result) => result.answer.id))).toEqual(new Set([1]))
    expect(await notes.count()).toBe(1)
  })

  test('work in another order of the same keys at once loses nothing', async () => {
    const keys = Array.from({ length: 8 }, (_, index) => `key ${index}`)
    await Promise.all([...keys, ...keys.toReversed()].map((key) => add(key, key)))
    expect(await notes.count()).toBe(8)
  })
})
