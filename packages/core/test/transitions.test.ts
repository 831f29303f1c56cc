import { ConflictError, Default, defineModel, ModelAccessor, UsageError } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'

const Status = Default(Type.Enum(['open', 'mitigated', 'closed']), 'open')
const moves = { open: ['mitigated', 'closed'], mitigated: ['open', 'closed'], closed: [] }
const Risk = defineModel(
  'risks',
  { title: Type.String(), status: Status, level: Default(Type.Enum([1, 2, 3]), 1) },
  { unique: [['title']], transitions: { status: moves, level: { 1: [2], 2: [3], 3: [] } } },
)

describeEngines('the moves of a state', (engine) => {
  const open = storagesOn(engine)
  const openRisks = async () => {
    const risks = new ModelAccessor(Risk, 'risks')
    const storage = await open([risks])
    return { risks, storage }
  }

  test('that are declared are made', async () => {
    const { risks } = await openRisks()
    const { id } = await risks.insert({ title: 'flood' })
    expect(await risks.update(id, { status: 'mitigated' })).toMatchObject({ status: 'mitigated' })
    expect(await risks.update(id, { status: 'closed', title: 'flood of 2026' })).toMatchObject({ status: 'closed' })
  })

  test('that are not are refused on every way of changing a record, and nothing is left of them', async () => {
    const { risks, storage } = await openRisks()
    const closed = await risks.insert({ title: 'fire', status: 'closed' })
    const attempts = [
      () => risks.update(closed.id, { status: 'open', title: 'changed' }),
      () => risks.replace(closed.id, { title: 'fire' }),
      () => risks.save({ id: closed.id, status: 'mitigated' }),
      () => risks.updateMany({ status: 'closed' }, { status: 'open' }),
      () => risks.upsertMany([{ title: 'fire', status: 'open' }], { on: ['title'] }),
    ]
    for (const attempt of attempts) {
      const error = await rejectionOf(attempt())
      expect(error).toBeInstanceOf(ConflictError)
      expect(error).toMatchObject({ code: 'state_conflict' })
    }
    expect(await risks.all()).toEqual([closed])
    expect(await storage.audit.count({})).toBe(1)
  })

  test('are told: where the record is, and where it goes from there', async () => {
    const { risks } = await openRisks()
    const { id } = await risks.insert({ title: 'theft', level: 2 })
    expect(await rejectionOf(risks.update(id, { level: 1 }))).toMatchObject({
      message: `The level of risks ${id} cannot go from 2 to 1. From there it goes to 3.`,
    })
  })

  test('hold for what a hook makes of a record', async () => {
    const { risks } = await openRisks()
    const { id } = await risks.insert({ title: 'frost', status: 'closed' })
    risks.beforeUpdate(({ record }) => {
      record.status = 'open'
    })
    expect(await rejectionOf(risks.update(id, { title: 'hail' }))).toMatchObject({ code: 'state_conflict' })
  })

  test('leave alone who stays where it is', async () => {
    const { risks } = await openRisks()
    const { id } = await risks.insert({ title: 'dust', status: 'closed' })
    expect(await risks.update(id, { status: 'closed', title: 'sand' })).toMatchObject({ title: 'sand' })
  })
})

describe('the option transitions', () => {
  const define = (transitions: object, type: object = Status) => {
    try {
      // wrong on purpose: what TypeScript would refuse has to be refused where there is none, too
      defineModel('risks', { status: type } as never, { transitions } as never)
      return undefined
    } catch (error) {
      return error instanceof UsageError ? error.message : String(error)
    }
  }

  test.each([
    ['names a value that there is not', { status: { ...moves, gone: [] } }, 'names "gone". The values are open, mitigated, closed'],
    ['lets such a value follow', { status: { ...moves, closed: ['gone'] } }, 'lets "gone" follow "closed"'],
    ['says nothing of a value', { status: { open: [], mitigated: [] } }, 'has no list for "closed"'],
    ['names a field that there is not', { state: moves }, 'names the unknown field "state"'],
    ['is no object', { status: ['open'] }, 'must be an object that has a list of values'],
  ])('is refused where it %s', (_what, transitions, message) => {
    expect(define(transitions)).toContain(message)
  })

  test.each([
    ['a text', Type.String()],
    ['an enum that may be null', Type.Optional(Type.Enum(['open', 'mitigated', 'closed']))],
  ])('is refused for %s', (_what, type) => {
    expect(define({ status: moves }, type)).toContain('is for an enum that is always there')
  })

  test('stands in the description of the field', () => {
    expect(Risk.fieldsByName.get('status')?.schema).toMatchObject({
      description: 'Updates may change it from open to mitigated, closed; mitigated to open, closed; closed stays.',
    })
  })
})
