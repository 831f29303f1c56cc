import { defineModel, ModelAccessor, versionOf } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { beforeEach, expect, test } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'

const Counter = defineModel('counters', { name: Type.String(), value: Type.Integer() }, { softDelete: true })

describeEngines('versions and ifMatch', (engine) => {
  const open = storagesOn(engine)
  let counters: ModelAccessor<typeof Counter>
  beforeEach(async () => {
    counters = new ModelAccessor(Counter, 'counters')
    await open([counters])
  })

  test('every write gives the record a fresh version, and reading it alone tells the same', async () => {
    const made = await counters.insert({ name: 'a', value: 0 })
    const changed = await counters.update(made.id, { value: 1 })
    const [many] = await counters.updateMany({ id: made.id }, { value: 2 })
    const versions = [made, changed, many ?? null].map(versionOf)
    expect(new Set(versions).size).toBe(3)
    expect(versionOf(await counters.get(made.id))).toBe(versions[2])
  })

  test('a write that changes nothing keeps the version', async () => {
    const made = await counters.insert({ name: 'a', value: 0 })
    expect(versionOf(await counters.update(made.id, { value: 0 }))).toBe(versionOf(made))
  })

  test('the version is no field: neither in the record nor in its JSON', async () => {
    const made = await counters.insert({ name: 'a', value: 0 })
    expect(Object.keys((await counters.get(made.id)) ?? {})).toEqual(Object.keys(made))
    expect(JSON.stringify(made)).not.toContain('row_version')
  })

  test.each(['update', 'replace', 'save', 'delete', 'purge'] as const)(
    '%s with a stale version is refused and changes nothing',
    async (verb) => {
      const made = await counters.insert({ name: 'a', value: 0 })
      const stale = versionOf(made)
      const current = await counters.update(made.id, { value: 1 })
      const write = {
        update: () => counters.update(made.id, { value: 9 }, { ifMatch: stale }),
        replace: () => counters.replace(made.id, { name: 'z', value: 9 }, { ifMatch: stale }),
        save: () => counters.save({ id: made.id, value: 9 }, { ifMatch: stale }),
        delete: () => counters.delete(made.id, { ifMatch: stale }),
        purge: () => counters.purge(made.id, { ifMatch: stale }),
      }[verb]
      expect(await rejectionOf(write())).toMatchObject({ code: 'precondition_failed' })
      expect(await counters.get(made.id)).toEqual(current)
    },
  )

  test('a current version, one of several, and * are let through', async () => {
    const made = await counters.insert({ name: 'a', value: 0 })
    const once = await counters.update(made.id, { value: 1 }, { ifMatch: versionOf(made) })
    const twice = await counters.update(made.id, { value: 2 }, { ifMatch: ['stale', versionOf(once) ?? ''] })
    expect(twice.value).toBe(2)
    expect((await counters.update(made.id, { value: 3 }, { ifMatch: '*' })).value).toBe(3)
  })

  test('save with ifMatch makes no record where there is none', async () => {
    expect(await rejectionOf(counters.save({ id: 77, name: 'a', value: 0 }, { ifMatch: '*' }))).toMatchObject({
      code: 'precondition_failed',
    })
    expect(await counters.count()).toBe(0)
  })

  test('ifNoneMatch refuses a record that has the version, or with * any; also beside an ifMatch that holds', async () => {
    const made = await counters.insert({ name: 'a', value: 0 })
    const version = versionOf(made) ?? ''
    const writes = (ifNoneMatch: string | string[]) => [
      () => counters.update(made.id, { value: 9 }, { ifNoneMatch }),
      () => counters.replace(made.id, { name: 'z', value: 9 }, { ifMatch: version, ifNoneMatch }),
      () => counters.save({ id: made.id, value: 9 }, { ifNoneMatch }),
      () => counters.delete(made.id, { ifNoneMatch }),
      () => counters.deleteReturning(made.id, { purge: true, ifNoneMatch }),
      () => counters.restore(made.id, { ifNoneMatch }),
      () => counters.purge(made.id, { ifNoneMatch }),
    ]
    for (const write of [...writes('*'), ...writes(['x', version])])
      expect(await rejectionOf(write())).toMatchObject({ code: 'precondition_failed' })
    expect(await counters.get(made.id)).toEqual(made)
    expect((await counters.update(made.id, { value: 1 }, { ifNoneMatch: 'x' })).value).toBe(1)
  })

  test('save with ifNoneMatch: * makes a record and changes none; a deleted one is to be restored', async () => {
    const save = () => counters.save({ id: 5, name: 'a', value: 0 }, { ifNoneMatch: '*' })
    expect((await save()).id).toBe(5)
    expect(await rejectionOf(save())).toMatchObject({ code: 'precondition_failed' })
    await counters.delete(5)
    expect(await rejectionOf(save())).toMatchObject({ code: 'state_conflict' })
  })

  test('what a dry run answers has no version: nobody will find a record so', async () => {
    const made = await counters.insert({ name: 'a', value: 0 })
    const tried = [
      await counters.insert({ name: 'b', value: 0 }, { dryRun: true }),
      await counters.update(made.id, { value: 1 }, { dryRun: true }),
      await counters.deleteReturning(made.id, { dryRun: true }),
      ...(await counters.updateMany({}, { value: 2 }, { dryRun: true })),
    ]
    expect(tried.map(versionOf)).toEqual([undefined, undefined, undefined, undefined])
  })

  test('16 clients that count up with read, ifMatch and retry lose no update', async () => {
    const { id } = await counters.insert({ name: 'shared', value: 0 })
    const countUp = async (): Promise<void> => {
      for (;;) {
        const current = await counters.get(id)
        const outcome = await counters
          .update(id, { value: (current?.value ?? 0) + 1 }, { ifMatch: versionOf(current) })
          .catch((error: { code?: string }) => error.code)
        if (outcome !== 'precondition_failed') return
      }
    }
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (let round = 0; round < 10; round++) await countUp()
      }),
    )
    expect((await counters.get(id))?.value).toBe(160)
  })
})
