import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { play, type Scenario, startServer, type TestServer } from './support.ts'

const people = async ({ users }: TestServer) =>
  users.insertMany([
    { name: 'Ann', email: 'ann@example.com', age: 20, settings: { theme: 'dark', size: 1 } },
    { name: 'Bob', email: 'bob@example.com', age: 20 },
    { name: 'Cyd', email: 'cyd@example.com', age: 70 },
  ])

const patch = (query: string, payload: unknown, headers: Record<string, string> = {}): Scenario['request'] => ({
  method: 'PATCH',
  url: `/users${query}`,
  headers: { 'content-type': 'application/merge-patch+json', ...headers },
  payload: JSON.stringify(payload),
})
const remove = (query: string): Scenario['request'] => ({ method: 'DELETE', url: `/users${query}` })

const refused = (title: string, request: Scenario['request'], status: number, code: string, options = {}): Scenario => ({
  title,
  given: people,
  request,
  status,
  answer: { code },
  options,
})

const scenarios: Scenario[] = [
  {
    title: 'PATCH changes every record that the filter holds for, and answers them',
    given: people,
    request: patch('?age=20&at_most=2', { role: 'admin' }),
    status: 200,
    answer: [
      { name: 'Ann', role: 'admin' },
      { name: 'Bob', role: 'admin' },
    ],
    hooks: ['beforeUpdate', 'beforeUpdate', 'afterUpdate', 'afterUpdate', 'afterCommit', 'afterCommit'],
    audit: ['update', 'update'],
  },
  {
    title: 'PATCH merges JSON fields record by record',
    given: people,
    request: patch('/?name[in]=Ann,Bob&at_most=10', { settings: { size: null, font: 'serif' } }),
    status: 200,
    answer: [{ settings: { theme: 'dark', font: 'serif' } }, { settings: { font: 'serif' } }],
    hooks: ['beforeUpdate', 'beforeUpdate', 'afterUpdate', 'afterUpdate', 'afterCommit', 'afterCommit'],
    audit: ['update', 'update'],
  },
  {
    title: 'PATCH of nobody answers nobody',
    given: people,
    request: patch('?age=21&at_most=2', { role: 'admin' }),
    status: 200,
    answer: [],
  },
  {
    title: 'DELETE marks every record that the filter holds for, and answers how many',
    given: people,
    request: remove('?or=(age.eq.70,name.eq.Ann)&at_most=5'),
    status: 200,
    answer: { status: 'deleted', count: 2 },
    hooks: ['beforeDelete', 'beforeDelete', 'afterDelete', 'afterDelete', 'afterCommit', 'afterCommit'],
    audit: ['soft_delete', 'soft_delete'],
  },
  {
    title: 'DELETE with purge removes them for good',
    given: people,
    request: remove('?age=20&at_most=2&purge=true'),
    status: 200,
    answer: { status: 'deleted', count: 2 },
    hooks: ['beforeDelete', 'beforeDelete', 'afterDelete', 'afterDelete', 'afterCommit', 'afterCommit'],
    audit: ['purge', 'purge'],
  },
  {
    title: 'a dry run answers what would be done',
    given: people,
    request: remove('?age=20&at_most=2&dry_run=True'),
    status: 200,
    answer: { status: 'deleted', count: 2 },
    hooks: ['beforeDelete', 'beforeDelete', 'afterDelete', 'afterDelete'],
  },
  refused('PATCH without a filter', patch('?at_most=10', { role: 'admin' }), 400, 'invalid_query'),
  refused('DELETE without a filter', remove('?at_most=10'), 400, 'invalid_query'),
  refused('DELETE without a cap', remove('?age=20'), 400, 'invalid_query'),
  refused('a cap of 0', remove('?age=20&at_most=0'), 400, 'invalid_query'),
  refused('a cap above 10,000', remove('?age=20&at_most=10001'), 400, 'invalid_query'),
  refused('a parameter of lists', remove('?age=20&at_most=2&limit=1'), 400, 'invalid_query'),
  refused('a filter by a secret', remove('?password_hash=x&at_most=2'), 400, 'invalid_query'),
  refused('PATCH of more records than the cap', patch('?age=20&at_most=1', { role: 'admin' }), 409, 'too_many_matches'),
  refused('DELETE of more records than the cap', remove('?age=20&at_most=1'), 409, 'too_many_matches'),
  refused('a field that is none, also where nobody matches', patch('?age=99&at_most=1', { rank: 1 }), 422, 'validation_failed'),
  refused(
    'a value that no record can have, also where nobody matches',
    patch('?age=99&at_most=1', { age: 'old' }),
    422,
    'validation_failed',
  ),
  refused('a field of the server', patch('?age=20&at_most=2', { created_by: 'eve' }), 422, 'validation_failed'),
  refused('an array as the patch', patch('?age=20&at_most=2', []), 422, 'validation_failed'),
  refused('an ETag', patch('?age=20&at_most=2', { role: 'admin' }, { 'if-match': '"x"' }), 400, 'bad_request'),
  refused('a server that requires ETags', patch('?age=20&at_most=2', { role: 'admin' }), 428, 'precondition_required', {
    requireIfMatch: true,
  }),
]

describeEngines('PATCH and DELETE of a filtered collection', (engine) => {
  test.each(scenarios)('$title', async (scenario) => {
    await play(engine, scenario)
  })

  test('one record that cannot change keeps all from changing', async () => {
    const server = await startServer(engine)
    await people(server)
    const headers = { 'content-type': 'application/json', 'x-user': 'tester' }
    const response = await server.app.inject({
      method: 'PATCH',
      url: '/users?age=20&at_most=2',
      headers,
      payload: { email: 'one@example.com' },
    })
    expect(response.statusCode, response.body).toBe(409)
    expect(await server.users.count({ email: 'one@example.com' })).toBe(0)
  })

  test('with an Idempotency-Key they are done once', async () => {
    const server = await startServer(engine)
    await people(server)
    const request = {
      method: 'DELETE' as const,
      url: '/users?age[gte]=20&name[in]=Ann,Bob&at_most=2',
      headers: { 'x-user': 'tester', 'idempotency-key': 'k' },
    }
    const first = await server.app.inject(request)
    await server.users.insert({ name: 'Bob', email: 'bob@example.com', age: 20 })
    const second = await server.app.inject(request)
    expect([first.json(), second.json()]).toEqual([
      { status: 'deleted', count: 2 },
      { status: 'deleted', count: 2 },
    ])
    expect(second.headers['idempotent-replayed']).toBe('true')
    expect(await server.users.count({ name: 'Bob' })).toBe(1)
  })
})
