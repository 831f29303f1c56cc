import { describeEngines } from '@strongroom/testkit'
import type { LightMyRequestResponse } from 'fastify'
import { describe, expect, test } from 'vitest'
import { addUser, play, type Scenario, startServer, type TestServer } from './support.ts'

const people = [
  {
    name: 'Ada',
    email: 'ada@example.com',
    age: 36,
    role: 'admin',
    active: true,
    born: new Date('1815-12-10T00:00:00Z'),
    balance: '10.50',
    visits: 1n,
  },
  {
    name: 'Bob',
    email: 'bob@example.com',
    age: 20,
    role: 'operator',
    active: false,
    born: new Date('1990-01-01T00:00:00Z'),
    balance: '9.00',
    visits: 9007199254740993n,
  },
  { name: 'Cyd', email: 'cyd@example.com', role: 'operator', active: true, born: new Date('2000-01-01T00:00:00Z') },
  { name: 'été, "x"', email: 'ete@example.com', age: 70, role: 'admin', active: true },
] as const

/** Cursors are opaque: the tests walk them, and do not spell them. */
function withoutCursors(links: unknown): string {
  return String(links).replaceAll(/(after|before)=[\w-]+/g, '$1=…')
}

async function addPeople({ users }: TestServer): Promise<void> {
  await users.insertMany(people.map((person) => ({ ...person })))
  const gone = await users.insert({ name: 'Gone', email: 'gone@example.com', age: 1 })
  await users.delete(gone.id)
}

const lists: [query: string, names: string[]][] = [
  ['', ['Ada', 'Bob', 'Cyd', 'été, "x"']],
  ['role=admin', ['Ada', 'été, "x"']],
  ['role=admin&active=true&age[lt]=50', ['Ada']],
  ['active=False', ['Bob']],
  ['active=no', ['Bob']],
  ['active=0', ['Bob']],
  ['name=Ada&name=Bob', ['Ada', 'Bob']],
  ['name[in]=Ada,Bob', ['Ada', 'Bob']],
  [`name[in]=Ada,${encodeURIComponent('"été, \\"x\\""')}`, ['Ada', 'été, "x"']],
  ['name[in]=', []],
  ['id[in]=1,3', ['Ada', 'Cyd']],
  ['id[not_in]=1,3', ['Bob', 'été, "x"']],
  ['age[gte]=36', ['Ada', 'été, "x"']],
  ['age[gt]=36', ['été, "x"']],
  ['age[lte]=36&age[gt]=20', ['Ada']],
  ['age[ne]=36', ['Bob', 'Cyd', 'été, "x"']],
  ['age[is_null]=true', ['Cyd']],
  ['age[is_null]=No', ['Ada', 'Bob', 'été, "x"']],
  ['balance[gt]=9.5', ['Ada']],
  ['visits=9007199254740993', ['Bob']],
  ['born[lt]=1990-01-01T01:00:00%2B01:00', ['Ada']],
  ['born=1990-01-01T01:00:00+01:00', ['Bob']],
  ['role=nobody', []],
  ['sort=-name', ['été, "x"', 'Cyd', 'Bob', 'Ada']],
  ['sort=age', ['Bob', 'Ada', 'été, "x"', 'Cyd']],
  ['sort=-age', ['Cyd', 'été, "x"', 'Ada', 'Bob']],
  ['sort=role,-name', ['été, "x"', 'Ada', 'Cyd', 'Bob']],
  ['limit=2', ['Ada', 'Bob']],
  ['limit=2&offset=1', ['Bob', 'Cyd']],
  ['limit=2&skip=3', ['été, "x"']],
  ['offset=100', []],
  ['include_deleted=True&name=Gone', ['Gone']],
  ['name=Gone', []],
]

const refused: [query: string, detail: string | RegExp][] = [
  ['colour=red', /^There is no parameter or field "colour"\. Parameters: .*limit.* Fields: id, name, /],
  ['password_hash=x', /^There is no parameter or field "password_hash"\./],
  ['row_version=x', /^There is no parameter or field "row_version"\./],
  ['password_hash[ne]=x', /^There is no field "password_hash"\./],
  ['sort=password_hash', /^"password_hash" in sort is no field\./],
  ['sort=name;DROP', /^"name;DROP" in sort is no field\./],
  ['sort=t1.password', /^"t1.password" in sort is no field\./],
  ['age[like]=1', /^"like" in age is no operator\. Operators: eq, ne, /],
  ['age=abc', 'age is compared with a whole number that JSON can carry exactly.'],
  ['age=1.5', 'age is compared with a whole number that JSON can carry exactly.'],
  ['age=9007199254740993', 'age is compared with a whole number that JSON can carry exactly.'],
  ['active=maybe', 'active is true or false.'],
  ['age[is_null]=2', 'age[is_null] is true or false.'],
  ['born=yesterday', /^The value of born must be a date and time/],
  ['visits=99999999999999999999', /^The value of visits /],
  ['balance=cheap', /^The value of balance /],
  ['settings=1', /settings/],
  ['name=%00', /name/],
  ['limit=-1', 'limit is a whole number from 1 to 100.'],
  ['limit=0', 'limit is a whole number from 1 to 100.'],
  ['limit=1e9', 'limit is a whole number from 1 to 100.'],
  ['limit=NaN', 'limit is a whole number from 1 to 100.'],
  ['limit=101', 'limit is a whole number from 1 to 100.'],
  ['offset=-1', 'offset is a whole number from 0 on.'],
  ['count=maybe', 'count is exact or none.'],
  ['name=%E0%A4%A', /percent-encoded UTF-8/],
]

const gets: Scenario[] = [
  { title: 'a record', given: addUser, request: { method: 'GET', url: '/users/{id}' }, status: 200, answer: { id: 1, name: 'Ada' } },
  {
    title: 'a record with a trailing slash',
    given: addUser,
    request: { method: 'GET', url: '/users/{id}/' },
    status: 200,
    answer: { id: 1 },
  },
  {
    title: 'an unknown id',
    request: { method: 'GET', url: '/users/7' },
    status: 404,
    answer: { code: 'not_found', detail: 'users has no record 7.' },
  },
  ...['abc', '1.5', '-1', '0', '01', '1e3', '9007199254740993', '%00', '1%2F2', '[object%20Object]', '1,2'].map(
    (id): Scenario => ({
      title: `an id of the wrong shape: ${id}`,
      given: addUser,
      request: { method: 'GET', url: `/users/${id}` },
      status: 404,
      answer: { code: 'not_found' },
    }),
  ),
  { title: 'a text for a UUID', request: { method: 'GET', url: '/products/7' }, status: 404 },
  {
    title: 'a text id with every character that a URL gives a meaning',
    given: async ({ tags }) => ({ id: (await tags.insert({ id: '/a?b#c%2Fd;e&f=g é😀' })).id }),
    request: { method: 'GET', url: '/tags/{id}' },
    status: 200,
    answer: { id: '/a?b#c%2Fd;e&f=g é😀' },
  },
  {
    title: 'a deleted record is gone',
    given: async (server) => {
      const { id } = await addUser(server)
      await server.users.delete(id)
      return { id }
    },
    request: { method: 'GET', url: '/users/{id}' },
    status: 404,
  },
  {
    title: 'a deleted record, when it is asked for',
    given: async (server) => {
      const { id } = await addUser(server)
      await server.users.delete(id)
      return { id }
    },
    request: { method: 'GET', url: '/users/{id}?include_deleted=1' },
    status: 200,
    answer: { deleted_at: expect.any(String) },
  },
  { title: 'a misspelt parameter', request: { method: 'GET', url: '/users/1?include=x' }, status: 400, answer: { code: 'invalid_query' } },
  {
    title: 'a field called like a parameter is reached by its operator',
    given: async ({ tags }) => {
      await tags.insertMany([
        { id: 'a', limit: 7 },
        { id: 'b', limit: 8 },
      ])
    },
    request: { method: 'GET', url: '/tags?limit[eq]=7&limit=5' },
    status: 200,
    answer: [{ id: 'a' }],
  },
]

describeEngines('reading records over HTTP', (engine) => {
  describe('GET one', () => {
    test.each(gets.map((scenario) => [scenario.title, scenario] as const))('%s', async (_title, scenario) => {
      await play(engine, scenario)
    })
  })

  test('lists answer the records that the query asks for', async () => {
    const server = await startServer(engine)
    await addPeople(server)
    for (const path of ['/users', '/users/']) {
      for (const [query, names] of lists) {
        const response = await server.app.inject({ url: `${path}?${query}` })
        expect(response.statusCode, `${query}: ${response.body}`).toBe(200)
        const records: { name: string }[] = response.json()
        expect(
          records.map((record) => record.name),
          query,
        ).toEqual(names)
      }
    }
  })

  test('lists refuse what they do not understand, and name what exists', async () => {
    const server = await startServer(engine)
    for (const [query, detail] of refused) {
      const response = await server.app.inject({ url: `/users?${query}` })
      expect(response.statusCode, `${query}: ${response.body}`).toBe(400)
      expect(response.json()).toMatchObject({
        code: 'invalid_query',
        detail: typeof detail === 'string' ? detail : expect.stringMatching(detail),
      })
    }
  })

  test('lists say in headers where they are', async () => {
    const server = await startServer(engine)
    await addPeople(server)
    const cases: [query: string, total: string, range: string, links: string][] = [
      [
        'limit=2',
        '4',
        'users 0-1/4',
        '</users?limit=2&offset=0>; rel="first", </users?limit=2&after=…>; rel="next", </users?limit=2&offset=2>; rel="last"',
      ],
      [
        'limit=2&offset=2&role[ne]=x',
        '4',
        'users 2-3/4',
        '</users?role[ne]=x&limit=2&offset=0>; rel="first", </users?role[ne]=x&limit=2&offset=0>; rel="prev", </users?role[ne]=x&limit=2&offset=2>; rel="last"',
      ],
      [
        'limit=2&offset=1',
        '4',
        'users 1-2/4',
        '</users?limit=2&offset=0>; rel="first", </users?limit=2&offset=0>; rel="prev", </users?limit=2&offset=3>; rel="next", </users?limit=2&offset=3>; rel="last"',
      ],
      [
        'offset=9',
        '4',
        'users */4',
        '</users?limit=50&offset=0>; rel="first", </users?limit=50&offset=0>; rel="prev", </users?limit=50&offset=0>; rel="last"',
      ],
      [
        'role=nobody',
        '0',
        'users */0',
        '</users?role=nobody&limit=50&offset=0>; rel="first", </users?role=nobody&limit=50&offset=0>; rel="last"',
      ],
    ]
    for (const [query, total, range, links] of cases) {
      const { headers } = await server.app.inject({ url: `/users?${query}` })
      expect(headers).toMatchObject({ 'x-total-count': total, 'content-range': range })
      expect(withoutCursors(headers.link)).toBe(links)
      expect(headers['access-control-expose-headers']).toBe('X-Total-Count, Content-Range, Link, X-Request-Id')
    }
  })

  test('without a count there is a next page and no last', async () => {
    const server = await startServer(engine)
    await addPeople(server)
    const { headers } = await server.app.inject({ url: '/users?count=none&limit=2' })
    expect(headers['x-total-count']).toBeUndefined()
    expect(headers['content-range']).toBeUndefined()
    expect(withoutCursors(headers.link)).toBe(
      '</users?count=none&limit=2&offset=0>; rel="first", </users?count=none&limit=2&after=…>; rel="next"',
    )
  })

  test('the links of a walk through all pages meet every record once', async () => {
    const server = await startServer(engine, { pageSize: { defaultLimit: 3 } })
    await addPeople(server)
    const names: string[] = []
    for (let url: string | undefined = '/users?sort=name'; url !== undefined; ) {
      const response: LightMyRequestResponse = await server.app.inject({ url })
      const records: { name: string }[] = response.json()
      names.push(...records.map((record) => record.name))
      url = /<([^>]*)>; rel="next"/.exec(String(response.headers.link))?.[1]
    }
    expect(names).toEqual(['Ada', 'Bob', 'Cyd', 'été, "x"'])
  })

  test('a long query gets fewer links, so that every client can take the answer', async () => {
    const server = await startServer(engine)
    await server.users.insertMany(people.map((person) => ({ ...person })))
    const url = await server.app.listen({ port: 0, host: '127.0.0.1' })
    const relations = async (letters: number) => {
      const { headers } = await fetch(`${url}/users?name[ne]=${'x'.repeat(letters)}&limit=1`)
      return [...String(headers.get('link')).matchAll(/rel="(\w+)"/g)].map(([, relation]) => relation)
    }
    expect(await relations(1000)).toEqual(['first', 'next', 'last'])
    expect(await relations(2000)).toEqual(['first', 'next'])
    expect(await relations(4000)).toEqual(['next'])
    expect(await relations(12_000)).toEqual([])
    const cursors = async (path: string) => {
      const { headers } = await fetch(`${url}/users?${path}limit=1`)
      return [headers.get('x-next-cursor'), headers.get('x-previous-cursor')]
    }
    expect(await cursors('')).toEqual([null, null])
    const long = `name[ne]=${'x'.repeat(12_000)}&`
    const [next] = await cursors(long)
    expect(await cursors(`after=${next}&`)).toEqual([null, null])
    expect(await cursors(`after=${next}&${long}`)).toEqual([expect.any(String), expect.any(String)])
  })

  test('a query with marks of its own cannot break out of the links', async () => {
    const server = await startServer(engine)
    const { headers } = await server.app.inject({ url: '/users?name=%3E%22,<x>' })
    expect(headers.link).toBe(
      '</users?name=%3E%22,%3Cx%3E&limit=50&offset=0>; rel="first", </users?name=%3E%22,%3Cx%3E&limit=50&offset=0>; rel="last"',
    )
  })

  test('HEAD answers the headers of a list alone', async () => {
    const server = await startServer(engine)
    await addPeople(server)
    const response = await server.app.inject({ method: 'HEAD', url: '/users' })
    expect(response.statusCode).toBe(200)
    expect(response.headers['x-total-count']).toBe('4')
    expect(response.body).toBe('')
  })

  test('the configured page size counts', async () => {
    const server = await startServer(engine, { pageSize: { defaultLimit: 1, maxLimit: 2 } })
    await addPeople(server)
    expect((await server.app.inject({ url: '/users' })).json()).toHaveLength(1)
    expect((await server.app.inject({ url: '/users?limit=2' })).json()).toHaveLength(2)
    expect((await server.app.inject({ url: '/users?limit=3' })).json()).toMatchObject({ detail: 'limit is a whole number from 1 to 2.' })
  })
})
