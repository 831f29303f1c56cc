import { describeEngines } from '@strongroom/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lastingServer, type TestServer } from './support.ts'

const people = [
  { name: 'Ada', email: 'ada@example.com', age: 36, role: 'admin' },
  { name: 'adam', email: 'adam@example.com', age: 20 },
  { name: 'Élodie', email: 'elodie@example.com' },
  { name: '100%', email: 'percent@example.com', age: 70, role: 'admin' },
] as const

const lists: [query: string, names: string[]][] = [
  ['name[contains]=da', ['Ada', 'adam']],
  ['name[starts_with]=Ad', ['Ada']],
  ['name[ends_with]=m', ['adam']],
  ['name[icontains]=AD', ['Ada', 'adam']],
  ['name[istarts_with]=é', ['Élodie']],
  ['name[iends_with]=DIE', ['Élodie']],
  ['name[contains]=%25', ['100%']],
  ['name[contains]=_', []],
  ['or=(role.eq.admin,age.lt.30)', ['Ada', 'adam', '100%']],
  ['or=(role.eq.admin,age.lt.30)&name[icontains]=ada', ['Ada', 'adam']],
  ['not=(role.eq.admin)', ['adam', 'Élodie']],
  ['and=(age.gte.20,not(or(name.eq.Ada,name.eq."100%25")))', ['adam']],
  ['or=(age.is_null.true,id.in.(1,2))', ['Ada', 'adam', 'Élodie']],
]

const refused: [query: string, detail: RegExp][] = [
  ['name[like]=x', /is no operator/],
  ['age[contains]=1', /contains is for text/],
  ['or=(password_hash.eq.x)', /no field "password_hash"/],
  ['fields=password_hash', /"password_hash" in fields/],
  ['include=boss', /"boss" in include/],
  ['after=forged', /cursor/],
  ['after=WzEsImlkIiwiNyJd&offset=3', /give one of them/],
  [`or=(${Array.from({ length: 60 }, (_, index) => `age.eq.${index}`).join()})`, /60 conditions/],
  ['or=(or(or(or(or(or(age.eq.1))))))', /deep/],
]

describeEngines('the query language over HTTP', (engine) => {
  let running: TestServer
  beforeAll(async () => {
    running = await lastingServer(engine)
    await running.users.insertMany(people.map((person) => ({ ...person })))
    await running.products.insertMany([{ name: 'lamp', owner: 1 }, { name: 'desk' }])
  })

  afterAll(() => running.app.close())

  const get = async (url: string) => running.app.inject({ url })

  test.each(lists)('%s', async (query, names) => {
    const response = await get(`/users?${query}`)
    expect(response.json<{ name: string }[]>().map((user) => user.name)).toEqual(names)
  })

  test.each(refused)('refuses %s', async (query, detail) => {
    const response = await get(`/users?${query}`)
    expect(response.statusCode).toBe(400)
    expect(response.json()).toMatchObject({ code: 'invalid_query', detail: expect.stringMatching(detail) })
  })

  test('fields leaves the others out, of lists and of one record', async () => {
    expect((await get('/users?fields=name,id&limit=1')).json()).toEqual([{ name: 'Ada', id: 1 }])
    expect((await get('/users/2?fields=age')).json()).toEqual({ age: 20 })
  })

  test('include reads along in both directions, without secrets', async () => {
    await running.users.update(1, { password_hash: 'canary' })
    const [lamp, desk] = (await get('/products?sort=-name&include=owner_record&fields=name')).json()
    expect(lamp).toMatchObject({ name: 'lamp', owner_record: { name: 'Ada' } })
    expect(desk).toEqual({ name: 'desk', owner_record: null })
    const one = await get('/users/1?include=products')
    expect(one.json()).toMatchObject({ name: 'Ada', products: [{ name: 'lamp' }] })
    expect(one.body + JSON.stringify(lamp)).not.toContain('canary')
  })

  test('include reads along at most 10,000 records that point to those of the answer', async () => {
    const { users, products } = running
    const { id: owner } = await users.insert({ name: 'Eve', email: 'eve@example.com' })
    await products.insertMany(Array.from({ length: 10_000 }, (_, index) => ({ name: `${index}`, owner })))
    expect((await get(`/users/${owner}?include=products&fields=id`)).json().products).toHaveLength(10_000)
    const [first] = (await get('/products?limit=1&owner[is_null]=true&fields=id')).json()
    await products.update(first.id, { owner })
    for (const url of [`/users/${owner}?include=products`, '/users?include=products']) {
      const response = await get(url)
      expect([response.statusCode, response.json().code]).toEqual([400, 'invalid_query'])
      expect(response.json().detail).toMatch(/more than 10000 records\. .*list products page by page, with a condition on owner/i)
    }
    await products.purgeMany({ owner })
    await users.purge(owner)
  })

  test('the cursors of the Link header walk forward and back', async () => {
    const first = await get('/users?sort=-age&limit=2&fields=name')
    const next = await get(linkOf(first.headers.link, 'next'))
    const back = await get(linkOf(next.headers.link, 'prev'))
    expect(first.json()).toEqual([{ name: 'Élodie' }, { name: '100%' }])
    expect(next.json()).toEqual([{ name: 'Ada' }, { name: 'adam' }])
    expect(back.json()).toEqual(first.json())
  })

  test('a cursor of another order is refused', async () => {
    const first = await get('/users?sort=-age&limit=2')
    const url = linkOf(first.headers.link, 'next').replace('sort=-age', 'sort=age')
    expect((await get(url)).statusCode).toBe(400)
  })
})

function linkOf(header: unknown, relation: string): string {
  const found = String(header)
    .split(', ')
    .find((link) => link.endsWith(`rel="${relation}"`))
  return found?.slice(1, found.indexOf('>')) ?? ''
}
