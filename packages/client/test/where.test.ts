import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { InvalidQueryError, type Where } from '../src/index.ts'
import { clientOf, rejectionOf, startServer, type User } from './support.ts'

describeEngines('where', (engine) => {
  test('asks what the accessor asks with the same words', async () => {
    const { client, users } = await startServer(engine)
    const names = ['Ada', 'a,b', 'say "hi"', '(x)', 'ß%_', 'back\\slash', '漢🦉', ' x ', '+&=#']
    await client.users.create(
      names.map((name, index) => ({
        name,
        email: `u${index}@example.com`,
        age: index % 3 === 0 ? null : index,
        active: index < 5,
        visits: `${index}`,
      })),
    )
    const wheres: Where<typeof User>[] = [
      {},
      ...names.map((name): Where<typeof User> => ({ name })),
      ...names.map((name): Where<typeof User> => ({ or: [{ name }, { name: { in: [name, 'a,b'] } }] })),
      { name: { in: names.slice(2, 6) } },
      { name: { notIn: names.slice(2, 6) }, active: true },
      { age: null },
      { age: { ne: null } },
      { age: { ne: 1 } },
      { age: { in: [1, null] } },
      { age: { notIn: [1, null] } },
      { age: { in: [null] } },
      { age: { in: [] } },
      { age: { isNull: false, gt: 1, lte: 5 } },
      { active: { eq: false } },
      { name: { contains: ',', startsWith: 'a' } },
      { name: { icontains: 'A', endsWith: 'a' } },
      { name: { contains: '%_' } },
      { not: { age: { gte: 2 }, active: true } },
      { and: [{ age: { gte: 1 } }, { age: { gte: 4 } }], age: { lt: 8 } },
      { or: [{ age: 1 }, { and: [{ age: { gt: 4 } }, { not: { name: { startsWith: '漢' } } }] }] },
      { or: [{}, { age: 1 }] },
      { not: { or: [{ age: 1 }, { age: null }] } },
    ]
    for (const where of wheres) {
      const asked = (await client.users.list({ where, orderBy: 'id' })).records.map(({ id }) => id)
      // the fields here have the same form in code and in JSON
      const expected = (await users.find({ where: where as never, orderBy: 'id' })).map(({ id }) => id)
      expect(asked, JSON.stringify(where)).toEqual(expected)
    }
    expect((await client.users.list({ where: { visits: { gt: '6' } } })).total).toBe(2)
  })

  test('reaches a field that is called like a parameter', async () => {
    const { client } = await startServer(engine)
    await client.countries.create([
      { code: 'a', name: 'A', limit: 1 },
      { code: 'b', name: 'B', limit: 2 },
    ])
    expect((await client.countries.list({ where: { limit: 2 } })).records.map(({ code }) => code)).toEqual(['b'])
  })

  test('refuses what no query can say, and what the server does not have', async () => {
    const { client, baseUrl } = await startServer(engine)
    expect(await rejectionOf(client.users.list({ where: { or: [] } }))).toBeInstanceOf(TypeError)
    // What the types refuse is what is tested.
    const untyped = clientOf(baseUrl) as unknown as Record<'users', { list(options: object): Promise<unknown> }>
    expect(await rejectionOf(untyped.users.list({ where: { age: { above: 1 } } }))).toBeInstanceOf(TypeError)
    const unknown = await rejectionOf(untyped.users.list({ where: { nmae: 'x' } }))
    expect(unknown).toBeInstanceOf(InvalidQueryError)
    expect(unknown).toHaveProperty('message', expect.stringContaining('There is no field "nmae"'))
    expect(await rejectionOf(untyped.users.list({ where: { password_hash: 'x' } }))).toMatchObject({ code: 'invalid_query' })
  })
})
