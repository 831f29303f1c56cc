import { defineAccess, defineModel, ForbiddenError, isInScope, ModelAccessor, type Principal, Ref, type Storage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { beforeAll, describe, expect, test } from 'vitest'
import { rejectionOf, storagesOn } from '../support.ts'

const Author = defineModel('authors', { name: Type.String() })
const Post = defineModel(
  'posts',
  { title: Type.String(), author_id: Type.Optional(Ref(() => Author, { onDelete: 'setNull' })) },
  { softDelete: true, unique: [['title']] },
)
const rules = [defineAccess(Author, { all: 'editor' }), defineAccess(Post, { all: 'editor' })]

describe('a scope', () => {
  test.each([
    [undefined, 'posts', 'purge', true],
    [[], 'posts', 'read', false],
    [['posts:read'], 'posts', 'read', true],
    [['posts:read'], 'posts', 'create', false],
    [['posts:read'], 'authors', 'read', false],
    [['posts:write'], 'posts', 'restore', true],
    [['posts:write'], 'posts', 'read', true],
    [['posts:write'], 'posts', 'purge', false],
    [['posts:*'], 'posts', 'purge', true],
    [['*:read'], 'authors', 'read', true],
    [['*:write'], 'authors', 'delete', true],
    [['*:*'], 'db', 'audit', false],
    [['db:audit'], 'db', 'audit', true],
    [['db:audit'], 'db', 'export', false],
    [['db:*'], 'db', 'export', true],
    [['db:write'], 'db', 'restore', false],
    [['read', 'posts', 'posts:', ':read', '*', 'POSTS:READ', 'posts:read '], 'posts', 'read', false],
  ])('%j, for %s: %s', (scopes, place, operation, allowed) => {
    expect(isInScope({ id: 1, ...(scopes && { scopes }) }, place, operation)).toBe(allowed)
  })

  test('that is no list is refused, and lets nobody in', () => {
    expect(() => isInScope({ id: 1, scopes: 'posts:reader' as never }, 'posts', 'read')).toThrow(TypeError)
  })
})

describeEngines('scopes', (database) => {
  const open = storagesOn(database, 'suite')

  describe.each([
    ['with rules', { access: rules }],
    ['without rules', {}],
  ])('%s', (_how, options) => {
    const authors = new ModelAccessor(Author, 'authors')
    const posts = new ModelAccessor(Post, 'posts')
    const as = (...scopes: string[]): { principal: Principal } => ({ principal: { id: 1, roles: ['editor'], scopes } })
    let storage: Storage

    beforeAll(async () => {
      storage = await open([authors, posts], options)
      await authors.insert({ name: 'Ann' })
      await posts.insert({ title: 'first', author_id: 1 })
    })

    const dry = { dryRun: true }
    /** Every way to do something with posts, and what it is. */
    const ways: readonly (readonly [string, string, (caller: { principal: Principal }) => PromiseLike<unknown>])[] = [
      ['get', 'read', (caller) => Promise.resolve(posts.get(1, caller))],
      ['find', 'read', (caller) => Promise.resolve(posts.find(caller))],
      ['count', 'read', (caller) => Promise.resolve(posts.count({}, caller))],
      ['aggregate', 'read', (caller) => Promise.resolve(posts.aggregate({ measures: ['count'], ...caller }))],
      ['insert', 'create', (caller) => posts.insert({ title: 'x' }, { ...caller, ...dry })],
      ['insertMany', 'create', (caller) => posts.insertMany([{ title: 'x' }], { ...caller, ...dry })],
      ['update', 'update', (caller) => posts.update(1, { title: 'x' }, { ...caller, ...dry })],
      ['updateMany', 'update', (caller) => posts.updateMany({}, { title: 'x' }, { ...caller, ...dry })],
      ['upsertMany', 'create', (caller) => posts.upsertMany([{ title: 'x' }], { on: ['title'], ...caller, ...dry })],
      ['delete', 'delete', (caller) => posts.delete(1, { ...caller, ...dry })],
      ['deleteMany', 'delete', (caller) => posts.deleteMany({}, { ...caller, ...dry })],
      ['restore', 'restore', (caller) => posts.restore(1, { ...caller, ...dry })],
      ['purge', 'purge', (caller) => posts.purge(1, { ...caller, ...dry })],
    ]

    test.each(ways)('%s needs the scope to %s', async (_name, operation, way) => {
      const others = ['read', 'create', 'update', 'delete', 'restore', 'purge'].filter((other) => other !== operation)
      const scopes = others.filter((other) => other !== 'create' || operation !== 'update').map((other) => `posts:${other}`)
      expect(await rejectionOf(way(as(...scopes, 'authors:*')))).toBeInstanceOf(ForbiddenError)
      expect(await rejectionOf(way(as()))).toBeInstanceOf(ForbiddenError)
      await way(as(`posts:${operation}`, 'posts:read', ...(operation === 'create' ? ['posts:update'] : [])))
      await way(as('posts:*'))
    })

    test('what is read along, pointed to, logged and exported keeps to them, too', async () => {
      expect(await posts.find({ include: { author: true }, ...as('posts:read') })).toMatchObject([{ title: 'first', author: null }])
      const points = posts.insert({ title: 'x', author_id: 1 }, { ...as('posts:write'), ...dry })
      expect(await rejectionOf(points)).toMatchObject({ code: 'reference_conflict' })
      const entries = await storage.actingAs(as('posts:read'), () => storage.audit.find())
      expect(new Set(entries.map(({ component }) => component))).toEqual(new Set(['posts']))
    })

    test('they give nothing that rules do not give, and code that acts for itself is not narrowed', async () => {
      const reader: Principal = { id: 1, roles: [], scopes: ['*:*'] }
      const asked = Promise.resolve().then(() => posts.find({ principal: reader }))
      if ('access' in options) expect(await rejectionOf(asked)).toBeInstanceOf(ForbiddenError)
      else expect(await asked).toHaveLength(1)
      expect(await posts.find({ ...as(), access: 'system' })).toHaveLength(1)
      const answer = await storage.explainAccess({ component: 'posts', operation: 'update', ...as('posts:read') })
      expect(answer).toMatchObject({ allowed: false, rule: 'posts.no scope for update' })
      expect(answer.reason).toBe('The scopes of the caller name no update of these records.')
    })
  })
})
