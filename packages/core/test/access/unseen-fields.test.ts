import { Default, defineAccess, defineModel, ModelAccessor, type Principal, type Storage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { beforeAll, expect, test } from 'vitest'
import { rejectionOf, storagesOn } from '../support.ts'
import { csv } from '../transfer/import-support.ts'

const Card = defineModel(
  'cards',
  { holder: Type.String(), pin: Type.String(), serial: Type.String(), seed: Type.String(), uses: Default(Type.Integer(), 0) },
  { stamps: true, secret: ['seed'], immutable: ['serial'] },
)
/** Tellers set what they cannot read. */
const rules = defineAccess(Card, {
  all: true,
  fields: { pin: { read: 'auditor', write: true }, serial: { read: 'auditor', write: true } },
})
const teller: Principal = { id: 1, roles: [] }
const auditor: Principal = { id: 2, roles: ['auditor'] }

describeEngines('what a caller sets and cannot read', (database) => {
  const open = storagesOn(database, 'suite')
  const cards = new ModelAccessor(Card, 'cards')
  let storage: Storage

  beforeAll(async () => {
    storage = await open([cards], { access: [rules] })
    await cards.insert({ holder: 'Ann', pin: '1234', serial: 'S-1', seed: 'canary' })
  })

  /** What a write answers, but for the moment of it. */
  const told = async (work: PromiseLike<unknown>): Promise<string> => {
    try {
      const answer = await work
      return JSON.stringify(answer).replaceAll(/"\d{4}-[^"]+Z"/g, (moment) => (moment === JSON.stringify(before) ? 'before' : 'now'))
    } catch (error) {
      return String(error)
    }
  }
  let before: Date

  test.each([
    ['a field', 'pin', '1234'],
    ['a field that is given once', 'serial', 'S-1'],
    ['a secret', 'seed', 'canary'],
  ])('%s is answered the same, whether it had that value or not', async (_what, name, value) => {
    before = (await cards.get(1))?.updated_at as Date
    const options = { principal: teller, dryRun: true }
    const ways: readonly ((patch: never) => PromiseLike<unknown>)[] = [
      (patch) => cards.update(1, patch, options),
      (patch) => cards.updateMany({}, patch, options),
      (patch) => cards.save({ id: 1, ...(patch as object) } as never, options),
      (patch) => cards.upsertMany([{ id: 1, ...(patch as object) }] as never, { on: ['id'], ...options }),
      (patch) => cards.replace(1, { holder: 'Ann', pin: 'x', seed: 'x', ...(patch as object) } as never, options),
      (patch) =>
        storage.actingAs({ principal: teller }, async () => {
          const source = { cards: csv(`id,${name}`, `1,${(patch as Record<string, string>)[name]}`) }
          return (await storage.import(source, { mode: 'upsert', dryRun: true })).tables
        }),
    ]
    for (const [index, way] of ways.entries()) {
      // What a caller has sent is no news to it.
      const right = (await told(way({ [name]: value } as never))).replaceAll(value, 'sent')
      const wrong = (await told(way({ [name]: 'a guess' } as never))).replaceAll('a guess', 'sent')
      expect(right, `way ${index}`).toBe(wrong)
    }
  })

  test('and what a caller can read stays as it is when it is sent back', async () => {
    const entries = await storage.audit.count()
    const card = await cards.get(1, { principal: auditor })
    expect(await cards.update(1, { pin: '1234', serial: 'S-1' } as never, { principal: auditor })).toEqual(card)
    expect(await storage.audit.count()).toBe(entries)
    const refused = await rejectionOf(cards.update(1, { serial: 'S-2' } as never, { principal: auditor }))
    expect(refused).toMatchObject({ issues: [{ path: 'serial', message: 'can only be given when the record is made' }] })
  })
})
