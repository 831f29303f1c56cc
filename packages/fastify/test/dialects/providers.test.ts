import { describeEngines } from '@strongroom/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { lastingServer, type TestServer } from '../support.ts'
import { type AdminProvider, jsonServer, type RefineProvider, type Row, refine, simpleRest } from './providers.ts'

const people = [
  { name: 'Ada & Co', email: 'ada@example.com', age: 36, role: 'admin', active: false },
  { name: 'adam', email: 'adam@example.com', age: 20 },
  { name: 'Élodie "E", née', email: 'elodie@example.com' },
  { name: '100%_+', email: 'percent@example.com', age: 70, role: 'admin' },
] as const

const names = (rows: readonly Row[]) => rows.map((row) => row['name'])

describeEngines('stock data providers, unchanged,', (engine) => {
  let server: TestServer
  let url: string
  beforeAll(async () => {
    server = await lastingServer(engine, { dialects: ['simple-rest', 'json-server'], actor: () => 'panel' })
    url = await server.app.listen({ port: 0, host: '127.0.0.1' })
  })

  afterAll(() => server.app.close())

  let ids: number[]
  beforeEach(async () => {
    await server.products.purgeMany({})
    await server.users.purgeMany({})
    await server.tags.purgeMany({})
    ids = (await server.users.insertMany(people.map((person) => ({ ...person })))).map((user) => user.id)
  })

  const nth = (index: number): number => ids[index] ?? Number.NaN

  describe.each([
    ['ra-data-simple-rest', simpleRest],
    ['ra-data-json-server', jsonServer],
  ] as const)('%s of react-admin', (_name, providerOf) => {
    let provider: AdminProvider
    beforeAll(() => {
      provider = providerOf(url)
    })

    const list = (filter: object) => provider.getList('users', { sort: { field: 'id', order: 'ASC' }, filter: { ...filter } })

    test('lists a page in order, with the total', async () => {
      const sort = { field: 'age', order: 'DESC' } as const
      const first = await provider.getList('users', { pagination: { page: 1, perPage: 3 }, sort, filter: {} })
      const second = await provider.getList('users', { pagination: { page: 2, perPage: 3 }, sort, filter: {} })
      const beyond = await provider.getList('users', { pagination: { page: 9, perPage: 3 }, sort, filter: {} })
      expect([names(first.data), first.total]).toEqual([['Élodie "E", née', '100%_+', 'Ada & Co'], 4])
      expect([names(second.data), second.total]).toEqual([['adam'], 4])
      expect(beyond).toEqual({ data: [], total: 4 })
    })

    test.each([
      [{ role: 'admin' }, [0, 3]],
      [{ role: ['admin'] }, [0, 3]],
      [{ age_gte: 36 }, [0, 3]],
      [{ age_gt: 20, age_lt: 70 }, [0]],
      [{ age_ne: 36 }, [1, 2, 3]],
      [{ name_like: 'AD' }, [0, 1]],
      [{ name: 'Ada & Co' }, [0]],
      [{ name: 'Élodie "E", née' }, [2]],
      [{ name: ['Élodie "E", née', '100%_+'] }, [2, 3]],
      [{ name_like: '%_+' }, [3]],
      [{ active: false }, [0]],
      [{ age: null }, [2]],
      [{ age_ne: null }, [0, 1, 3]],
      [{ role: 'admin', age_lte: 36 }, [0]],
    ])('finds what fits %j', async (filter, indexes) => {
      const { data, total } = await list(filter)
      expect(data.map((row) => row.id)).toEqual(indexes.map((index) => nth(index)))
      expect(total).toBe(indexes.length)
    })

    test('refuses a search through all fields, and unknown fields, with a sentence that react-admin shows', async () => {
      await expect(list({ q: 'ada' })).rejects.toMatchObject({ status: 400, message: expect.stringContaining('no search') })
      await expect(list({ boss: 1 })).rejects.toMatchObject({ status: 400, message: expect.stringContaining('boss') })
      await expect(list({ password_hash_like: 'x' })).rejects.toMatchObject({ status: 400 })
    })

    test('exports a thousand records at once', async () => {
      const { data } = await provider.getList('users', { pagination: { page: 1, perPage: 1000 }, filter: {} })
      expect(data).toHaveLength(4)
    })

    test('reads one and many, more than a page of them', async () => {
      const { data: one } = await provider.getOne('users', { id: nth(1) })
      expect(one).toMatchObject({ id: nth(1), name: 'adam' })
      expect(names((await provider.getMany('users', { ids: [nth(3), nth(0)] })).data).sort()).toEqual(['100%_+', 'Ada & Co'])
      const tags = await server.tags.insertMany(Array.from({ length: 120 }, (_, index) => ({ id: `tag, ${index}` })))
      const { data: many } = await provider.getMany('tags', { ids: tags.map((tag) => tag.id) })
      expect(many.map((tag) => tag.id).sort()).toEqual(tags.map((tag) => tag.id).sort())
      await expect(provider.getOne('users', { id: 999_999 })).rejects.toMatchObject({ status: 404 })
    })

    test('reads what points to a record, with the total, and along a reference', async () => {
      await server.products.insertMany(['lamp', 'desk', 'chair'].map((name) => ({ name, owner: nth(0) })))
      const page = { pagination: { page: 1, perPage: 2 }, sort: { field: 'name', order: 'ASC' }, filter: {} } as const
      const products = await provider.getManyReference('products', { ...page, target: 'owner', id: nth(0) })
      expect([names(products.data), products.total]).toEqual([['chair', 'desk'], 3])
      const embedded = await provider.getList('products', { ...page, meta: { embed: 'owner_record' } })
      expect(embedded.data[0]).toMatchObject({ owner_record: { name: 'Ada & Co' } })
      const owner = await provider.getOne('users', { id: nth(0), meta: { embed: 'products' } })
      expect(owner.data['products']).toHaveLength(3)
      await expect(provider.getList('products', { ...page, meta: { embed: 'boss' } })).rejects.toMatchObject({
        status: 400,
        message: expect.stringContaining('"boss" in'),
      })
    })

    test('creates, changes and deletes', async () => {
      const { data: made } = await provider.create('users', { data: { name: 'Bob', email: 'bob@example.com' } })
      expect(made).toMatchObject({ id: expect.any(Number), name: 'Bob', created_by: 'panel' })
      const { data: changed } = await provider.update('users', { id: made.id, data: { ...made, age: 50 }, previousData: made })
      expect(changed).toMatchObject({ id: made.id, age: 50 })
      expect((await provider.delete('users', { id: made.id, previousData: changed })).data.id).toBe(made.id)
      expect(await server.users.get(Number(made.id))).toBeNull()
      await expect(provider.create('users', { data: { name: '' } })).rejects.toMatchObject({ status: 422 })
    })

    test('changes and deletes several', async () => {
      const several = [nth(0), nth(1)]
      expect((await provider.updateMany('users', { ids: several, data: { age: 1 } })).data).toEqual(several)
      expect((await list({ age: 1 })).total).toBe(2)
      expect((await provider.deleteMany('users', { ids: several })).data).toEqual(several)
      expect((await list({})).total).toBe(2)
    })

    test('gets along with UUIDs and text ids', async () => {
      const { data: lamp } = await provider.create('products', { data: { name: 'lamp' } })
      expect((await provider.getMany('products', { ids: [lamp.id] })).data).toEqual([lamp])
      expect((await provider.update('products', { id: lamp.id, data: { ...lamp, name: 'desk' } })).data).toEqual({ ...lamp, name: 'desk' })
      expect((await provider.delete('products', { id: lamp.id })).data.id).toBe(lamp.id)
      await provider.create('tags', { data: { id: 'a b', label: 'x' } })
      expect((await provider.getOne('tags', { id: 'a b' })).data).toMatchObject({ id: 'a b', label: 'x' })
      expect((await provider.getManyReference('tags', tagsOf('x'))).total).toBe(1)
    })
  })

  test('ra-data-simple-rest counts by X-Total-Count too', async () => {
    const client = (address: string) => fetch(address).then(async ({ headers, ...response }) => ({ ...response, headers, json: [] }))
    const { total } = await simpleRest(url, client, 'X-Total-Count').getList('users', { filter: {} })
    expect(total).toBe(4)
  })

  describe('@refinedev/simple-rest of refine', () => {
    let provider: RefineProvider
    beforeAll(() => {
      provider = refine(url)
    })

    const list = (filters: Parameters<RefineProvider['getList']>[0]['filters'] = []) =>
      provider.getList({ resource: 'users', sorters: [{ field: 'id', order: 'asc' }], filters })

    test('lists a page in order of several fields, with the total', async () => {
      const sorters = [
        { field: 'role', order: 'desc' },
        { field: 'age', order: 'asc' },
      ] as const
      const { data, total } = await provider.getList({ resource: 'users', pagination: { currentPage: 1, pageSize: 3 }, sorters })
      expect([names(data), total]).toEqual([['adam', 'Élodie "E", née', 'Ada & Co'], 4])
      const rest = await provider.getList({ resource: 'users', pagination: { currentPage: 2, pageSize: 3 }, sorters })
      expect([names(rest.data), rest.total]).toEqual([['100%_+'], 4])
      expect((await provider.getList({ resource: 'users', pagination: { mode: 'off' } })).data).toHaveLength(4)
    })

    test.each([
      ['eq', 'role', 'admin', [0, 3]],
      ['ne', 'role', 'admin', [1, 2]],
      ['gte', 'age', 36, [0, 3]],
      ['lte', 'age', 36, [0, 1]],
      ['contains', 'name', 'AD', [0, 1]],
      ['contains', 'name', '%_+', [3]],
      ['in', 'name', ['adam', 'Élodie "E", née'], [1, 2]],
      ['eq', 'active', false, [0]],
      ['eq', 'age', null, [2]],
    ] as const)('finds what is %s: %s, %j', async (operator, field, value, indexes) => {
      const { data, total } = await list([{ field, operator, value }])
      expect(data.map((row) => row.id)).toEqual(indexes.map((index) => nth(index)))
      expect(total).toBe(indexes.length)
    })

    test('refuses a search through all fields with a sentence that refine shows', async () => {
      const refusal = { statusCode: 400, message: expect.stringContaining('no search') }
      await expect(list([{ field: 'q', operator: 'eq', value: 'x' }])).rejects.toMatchObject(refusal)
    })

    test('reads one and many, more than a page of them', async () => {
      expect((await provider.getOne({ resource: 'users', id: nth(1) })).data).toMatchObject({ name: 'adam' })
      const products = await server.products.insertMany(Array.from({ length: 60 }, (_, index) => ({ name: `product ${index}` })))
      const { data } = await provider.getMany({ resource: 'products', ids: products.map((product) => product.id) })
      expect(data).toHaveLength(60)
    })

    test('creates, changes and deletes', async () => {
      const { data: made } = await provider.create({ resource: 'users', variables: { name: 'Bob', email: 'bob@example.com' } })
      expect((await provider.update({ resource: 'users', id: made.id, variables: { age: 50 } })).data).toMatchObject({
        name: 'Bob',
        age: 50,
      })
      expect((await provider.deleteOne({ resource: 'users', id: made.id })).data.id).toBe(made.id)
      expect((await provider.deleteOne({ resource: 'users', id: nth(0), variables: { reason: 'a body' } })).data.id).toBe(nth(0))
      expect((await list()).total).toBe(3)
    })

    test('gets along with UUIDs and text ids', async () => {
      const { data: lamp } = await provider.create({ resource: 'products', variables: { name: 'lamp' } })
      expect((await provider.getOne({ resource: 'products', id: lamp.id })).data).toEqual(lamp)
      const { data: tag } = await provider.create({ resource: 'tags', variables: { id: 'a-b' } })
      expect((await provider.update({ resource: 'tags', id: tag.id, variables: { label: 'x' } })).data).toMatchObject({
        id: 'a-b',
        label: 'x',
      })
      expect((await provider.getMany({ resource: 'tags', ids: ['a-b', 'none'] })).data).toHaveLength(1)
      expect((await provider.deleteOne({ resource: 'products', id: lamp.id })).data.id).toBe(lamp.id)
    })
  })
})

function tagsOf(label: string): Parameters<AdminProvider['getManyReference']>[1] {
  const pagination = { page: 1, perPage: 10 }
  return { target: 'label', id: label, pagination, sort: { field: 'id', order: 'ASC' }, filter: {} }
}
