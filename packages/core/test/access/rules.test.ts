import { type AnyModel, defineAccess, defineModel, ForbiddenError, ModelAccessor, openStorage, Ref, UsageError } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import fc from 'fast-check'
import { Type } from 'typebox'
import { beforeAll, describe, expect, test } from 'vitest'
import { readRecordCondition } from '../../src/access/record-condition.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { BoundTable } from '../../src/query/bound-table.ts'
import { describeFilter, renderFilter } from '../../src/query/condition.ts'
import { nothing } from '../../src/query/filter.ts'
import { rejectionOf, storagesOn } from '../support.ts'
import { csv } from '../transfer/import-support.ts'
import { Link, type Node, nodes, type Where } from './linked-oracle.ts'

const Thing = defineModel('things', { title: Type.String(), owner_id: Type.Optional(Type.Integer()) })
const ann = { id: 1 }

describeEngines('a rule that is wrong', (engine) => {
  const open = storagesOn(engine, 'suite')
  const things = new ModelAccessor(Thing, 'things')
  let rule: (...given: never) => unknown = () => true

  beforeAll(async () => {
    await open([things], { access: [defineAccess(Thing, { read: (...given) => rule(...(given as never)) as never })] })
    await things.insert({ title: 'a' })
  })

  const errorWith = async (given: typeof rule): Promise<unknown> => {
    rule = given
    return rejectionOf(things.count({}, { principal: ann }))
  }

  test.each([
    ['answers a promise', async () => true],
    ['answers a promise of a condition', async () => ({ owner_id: 1 })],
    ['answers a promise that fails', async () => Promise.reject(new Error('x'))],
    ['answers an object of a class', () => new Map([['owner_id', 1]])],
    ['answers a list', () => [{ owner_id: 1 }]],
    ['answers a word', () => 'admin'],
    ['answers nothing', () => undefined],
    ['answers null', () => null],
    ['answers a condition that says nothing', () => ({})],
    ['answers a condition with a comparison left out', () => ({ owner_id: {} })],
    ['answers an empty list of conditions', () => ({ and: [] })],
    ['answers an empty condition on what is linked', () => ({ linked: {} })],
    ['names a field that there is not', () => ({ owner: 1 })],
    ['names __proto__', () => JSON.parse('{"__proto__": {"owner_id": 1}}')],
    ['follows a link that there is not', () => ({ linked: { constructor: { id: 1 } } })],
    ['asks by the hidden column', () => ({ row_version: 'x' })],
    ['fails', () => JSON.parse('{')],
  ])('and %s, lets nobody through, and says so to the server', async (_what, given) => {
    const error = await errorWith(given)
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toHaveProperty('code', 'invalid_query')
  })

  test.each([
    ['undefined', () => ({ owner_id: undefined })],
    ['null', () => ({ owner_id: null })],
    ['no number', () => ({ owner_id: Number('ann') })],
    ['undefined within not', () => ({ not: { owner_id: undefined } })],
    ['undefined in a list', () => ({ owner_id: { notIn: [undefined] } })],
    ['undefined beside what holds', () => ({ or: [{ title: 'a' }, { owner_id: undefined }] })],
  ])('and compares with %s, holds for nothing', async (_what, given) => {
    expect(await errorWith(given)).toBeInstanceOf(ForbiddenError)
  })
})

describe('rules that cannot be', () => {
  test.each([
    ['a promise', { read: Promise.resolve(true) }],
    ['a role without a name', { read: '' }],
    ['an object of a class', { read: new Map() }],
    ['rules by inheritance', Object.create({ read: true })],
    ['rules of a field that are a list', { fields: { title: ['admin'] } }],
    ['an operation that every object has', { constructor: true }],
  ])('are refused where they are written: %s', (_what, rules) => {
    expect(() => defineAccess(Thing, rules as never)).toThrow(UsageError)
  })

  test('are refused when the storage opens, where their condition does not fit the models', async () => {
    for (const condition of [{ owner: 1 }, { linked: { owner: { id: 1 } } }, {}]) {
      const things = new ModelAccessor(Thing, 'things')
      const access = [defineAccess(Thing, { read: ['admin', condition] as never })]
      const error = await rejectionOf(openStorage({ url: 'sqlite::memory:', accessors: [things], access }))
      expect(error).toMatchObject({ code: 'invalid_definition', message: expect.stringContaining('things.read[1]') })
    }
  })

  test('do not change after they were written', () => {
    const roles = ['admin']
    const given = { read: roles }
    const access = defineAccess(Thing, given)
    roles.push('member')
    expect(access.rules.read).toEqual(['admin'])
    expect(() => Object.assign(access.rules, { update: true })).toThrow(TypeError)
  })
})

/** Records of a tree with labels, in which much is null, deleted, or its own parent. */
const Tree = defineModel(
  'nodes',
  {
    label: Type.Optional(Type.String()),
    parent_id: Type.Optional(Ref((): AnyModel => Tree)),
    other_id: Type.Optional(Ref((): AnyModel => Tree)),
  },
  { softDelete: true },
)

describeEngines('conditions on linked records', (engine) => {
  const open = storagesOn(engine, 'suite')
  const tree = new ModelAccessor(Tree, 'nodes')
  let condition: Where = { label: 'a' }

  beforeAll(async () => {
    const storage = await open([tree], { access: [defineAccess(Tree, { read: () => condition as never })] })
    const line = ({ id, label, parent_id, other_id, deleted }: Node) =>
      [id, label, parent_id, other_id, deleted ? '2026-01-01T00:00:00.000Z' : null].join()
    // An import takes deleted records to which others point.
    const { errors } = await storage.import({ nodes: csv('id,label,parent_id,other_id,deleted_at', ...nodes.map(line)) })
    expect(errors).toEqual([])
  })

  const leaf: fc.Arbitrary<Where> = fc.oneof(
    fc.constantFrom('a', 'b', 'c').map((label) => ({ label })),
    fc.constantFrom('a', 'b').map((label) => ({ label: { ne: label } })),
    fc.subarray(['a', 'b', 'c', 'd', 'e']).map((list) => ({ label: { in: list } })),
    fc.boolean().map((isNull) => ({ parent_id: { isNull } })),
  )
  const anyCondition = fc.letrec<{ one: Where }>((tie) => ({
    one: fc.oneof(
      { depthSize: 'medium', withCrossShrink: true },
      leaf,
      fc.tuple(fc.constantFrom(...Link.names), tie('one')).map(([name, inner]): Where => ({ linked: { [name]: inner } })),
      tie('one').map((not): Where => ({ not })),
      fc.array(tie('one'), { minLength: 1, maxLength: 3 }).map((and): Where => ({ and })),
      fc.array(tie('one'), { minLength: 1, maxLength: 3 }).map((or): Where => ({ or })),
    ),
  })).one

  test('hold for the records that plain code finds by them, with null, deleted and circular references, inside not too', async () => {
    await fc.assert(
      fc.asyncProperty(anyCondition, async (wanted) => {
        condition = wanted
        const found = await tree.find({ principal: ann, includeDeleted: true })
        expect(found.map(({ id }) => id)).toEqual(nodes.filter((node: Node) => Link.holds(node, wanted)).map(({ id }) => id))
        expect(await tree.count({}, { principal: ann, includeDeleted: true })).toBe(found.length)
      }),
      { numRuns: 150 },
    )
  })

  test('share a statement only where they are compiled alike', async () => {
    const opened = await openEngine(await engine.freshUrl(), { sqlite: {}, postgres: {} })
    const table = new BoundTable(Tree, opened)
    const link = (field: string, tableField: string) => ({ field, table, tableField })
    const links = new Map([
      ['parent', link('parent_id', 'id')],
      ['other', link('other_id', 'id')],
      ['nodes_by_parent_id', link('id', 'parent_id')],
      ['nodes_by_other_id', link('id', 'other_id')],
    ])
    const keys = new Map<string, string>()
    await fc.assert(
      fc.asyncProperty(anyCondition, async (wanted) => {
        const filter = readRecordCondition(Tree, wanted, (_model, name) => links.get(name)) ?? nothing
        const { key, values } = describeFilter(filter, table.encode)
        const query = table.engine.builder
          .selectFrom('nodes')
          .select('id')
          .where((eb) => renderFilter(table, filter, eb, 0))
        const { sql, parameters } = query.compile()
        expect(parameters).toHaveLength(values.length)
        expect(keys.get(key) ?? sql).toBe(sql)
        keys.set(key, sql)
      }),
      { numRuns: 300 },
    )
    expect(keys.size).toBeGreaterThan(50)
    await opened.close()
  })
})
