import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { newRecords } from '../src/records/record-body.ts'
import { ada, addUser, expectProblem, play, type Scenario, startServer, User } from './support.ts'

const json = { 'content-type': 'application/json' }
const post = (payload: string | Buffer, headers: Record<string, string> = json): Scenario['request'] => ({
  method: 'POST',
  url: '/users',
  headers,
  payload,
})
const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`
const withField = (text: string): string => `{"name":"Ada","email":"ada@example.com",${text}}`

const bodies: Scenario[] = [
  { title: 'broken JSON', request: post('{"name":'), status: 400, answer: { code: 'bad_request', detail: 'The body is not JSON.' } },
  { title: 'no body', request: { method: 'POST', url: '/users' }, status: 400, answer: { code: 'bad_request' } },
  { title: 'an empty body', request: post(''), status: 400, answer: { code: 'bad_request' } },
  {
    title: 'bytes that are no UTF-8',
    request: post(Buffer.from([0x22, 0xff, 0x22])),
    status: 400,
    answer: { detail: 'The body is not UTF-8 text.' },
  },
  { title: '50,000 levels', request: post(deep(50_000)), status: 400, answer: { detail: 'The body is nested more than 100 deep.' } },
  {
    title: '50,000 levels in a field',
    request: post(withField(`"settings":${deep(50_000)}`)),
    status: 400,
    answer: { code: 'bad_request' },
  },
  { title: '50,000 levels that never end', request: post('['.repeat(50_000)), status: 400, answer: { code: 'bad_request' } },
  { title: '__proto__', request: post(withField('"__proto__":{"level":9}')), status: 400, answer: { code: 'bad_request' } },
  {
    title: '__proto__ inside a field',
    request: post(withField('"settings":{"a":[{"__proto__":1}]}')),
    status: 400,
    answer: { code: 'bad_request' },
  },
  {
    title: 'constructor.prototype',
    request: post(withField('"settings":{"constructor":{"prototype":{}}}')),
    status: 400,
    answer: { code: 'bad_request' },
  },
  { title: 'null', request: post('null'), status: 422, answer: { errors: [{ path: '' }] } },
  { title: 'a text', request: post('"Ada"'), status: 422, answer: { errors: [{ path: '' }] } },
  { title: 'a number', request: post('7'), status: 422, answer: { errors: [{ path: '' }] } },
  {
    title: 'null for a field that is not nullable',
    request: post(JSON.stringify({ ...ada, name: null })),
    status: 422,
    answer: { errors: [{ path: 'name', message: 'must not be null' }] },
  },
  {
    title: 'null for a field with a default',
    request: post(withField('"active":null')),
    status: 422,
    answer: { errors: [{ path: 'active' }] },
  },
  { title: 'a number for a text', request: post(JSON.stringify({ ...ada, name: 7 })), status: 422, answer: { errors: [{ path: 'name' }] } },
  { title: 'a text for a boolean', request: post(withField('"active":"true"')), status: 422, answer: { errors: [{ path: 'active' }] } },
  { title: 'a text for a number', request: post(withField('"age":"36"')), status: 422, answer: { errors: [{ path: 'age' }] } },
  { title: 'an array for a text', request: post(withField('"role":["admin"]')), status: 422, answer: { errors: [{ path: 'role' }] } },
  {
    title: 'a word that the enum does not have',
    request: post(withField('"role":"root"')),
    status: 422,
    answer: { errors: [{ path: 'role' }] },
  },
  {
    title: 'an e-mail address that is none',
    request: post(JSON.stringify({ ...ada, email: 'ada' })),
    status: 422,
    answer: { errors: [{ path: 'email' }] },
  },
  {
    title: 'a text that is too short',
    request: post(JSON.stringify({ ...ada, name: '' })),
    status: 422,
    answer: { errors: [{ path: 'name' }] },
  },
  {
    title: 'a field that is missing',
    request: post('{"name":"Ada"}'),
    status: 422,
    answer: { errors: [{ path: 'email', message: 'is required' }] },
    hooks: ['beforeInsert'],
  },
  { title: 'an unknown field, by name', request: post(withField('"colour":"red"')), status: 422, answer: { errors: [{ path: 'colour' }] } },
  {
    title: 'the hidden field, like an unknown one',
    request: post(withField('"row_version":"x"')),
    status: 422,
    answer: { errors: [{ path: 'row_version' }] },
  },
  { title: 'an id, which the server gives', request: post(withField('"id":7')), status: 422, answer: { errors: [{ path: 'id' }] } },
  { title: 'an array as id', request: post(withField('"id":[7]')), status: 422, answer: { errors: [{ path: 'id' }] } },
  {
    title: 'stamps, a deletion and a read-only field, each by name',
    request: post(withField('"created_at":"2020-01-01T00:00:00Z","updated_by":"eve","deleted_at":null,"level":9')),
    status: 422,
    answer: { errors: [{ path: 'created_at' }, { path: 'updated_by' }, { path: 'deleted_at' }, { path: 'level' }] },
  },
  {
    title: 'an unsafe integer as a number',
    request: post(withField('"age":9007199254740993')),
    status: 422,
    answer: { errors: [{ path: 'age' }] },
  },
  {
    title: 'an unsafe integer as a number for 64 bits',
    request: post(withField('"visits":9007199254740993')),
    status: 422,
    answer: { errors: [{ path: 'visits' }] },
  },
  {
    title: 'an integer in JSON data that a number would change',
    request: post(withField('"settings":{"serial":[9007199254740993]}')),
    status: 422,
    answer: { code: 'validation_failed', detail: '0: 9007199254740993 is more than a JSON number carries exactly; send it as text' },
  },
  {
    title: 'large numbers in JSON data that are exact, in each spelling',
    request: post(withField('"settings":{"a":9007199254740992,"b":100000000000000000000,"c":1e308,"d":"9007199254740993"}')),
    status: 201,
    answer: { settings: { a: 9007199254740992, b: 1e20, c: 1e308, d: '9007199254740993' } },
    hooks: ['beforeInsert', 'afterInsert', 'afterCommit'],
    audit: ['create'],
  },
  {
    title: 'a number in JSON data that is written like this when it is answered',
    request: post(withField('"settings":{"a":1152921504606847000,"b":-36893488147419103000}')),
    status: 201,
    answer: { settings: { a: 2 ** 60, b: -(2 ** 65) } },
    hooks: ['beforeInsert', 'afterInsert', 'afterCommit'],
    audit: ['create'],
  },
  {
    title: 'such a number for 64 bits, which have others beside it',
    request: post(withField('"visits":1152921504606847000')),
    status: 422,
    answer: { errors: [{ path: 'visits' }] },
  },
  {
    title: 'an unknown field with a name that nobody wants to read twice',
    request: post(withField(`"${'k'.repeat(100_000)}":1`)),
    status: 422,
    answer: { errors: [{ path: `${'k'.repeat(100)}…`, message: 'is no field of users.' }] },
  },
  {
    title: 'more records than one request may have',
    request: post(`[${'{},'.repeat(10_000)}{}]`),
    status: 413,
    answer: { code: 'payload_too_large', detail: 'An array inserts at most 10000 records. Send them in several requests.' },
  },
  {
    title: 'an integer beyond 64 bits',
    request: post(withField('"visits":"9223372036854775808"')),
    status: 422,
    answer: { errors: [{ path: 'visits' }] },
  },
  { title: 'NUL in a text', request: post(JSON.stringify({ ...ada, name: 'a\0b' })), status: 422, answer: { errors: [{ path: 'name' }] } },
  {
    title: 'half of a surrogate pair',
    request: post('{"name":"a\\ud800","email":"ada@example.com"}'),
    status: 422,
    answer: { errors: [{ path: 'name' }] },
  },
  {
    title: 'half of a surrogate pair in JSON data',
    request: post(withField('"settings":{"a":"\\udc00"}')),
    status: 422,
    answer: { errors: [{ path: 'settings' }] },
  },
  {
    title: 'a day that no calendar has',
    request: post(withField('"born":"2020-02-30T00:00:00Z"')),
    status: 422,
    answer: { errors: [{ path: 'born' }] },
  },
  { title: 'bytes that are no base64', request: post(withField('"photo":"%%%"')), status: 422, answer: { errors: [{ path: 'photo' }] } },
  {
    title: 'a body over the cap',
    options: { bodyLimit: 100 },
    request: post(withField(`"code":"${'x'.repeat(100)}"`)),
    status: 413,
    answer: { code: 'payload_too_large', detail: 'The body is larger than the 100 bytes that this route takes.' },
  },
  {
    title: 'a body over the cap of every server',
    request: post(withField(`"code":"${'x'.repeat(1_048_576)}"`)),
    status: 413,
    answer: { code: 'payload_too_large' },
  },
  {
    title: 'text/plain',
    request: post('{}', { 'content-type': 'text/plain' }),
    status: 415,
    answer: { code: 'unsupported_media_type', detail: 'Send the body as application/json.' },
  },
  {
    title: 'application/jsonx',
    request: post('{}', { 'content-type': 'application/jsonx' }),
    status: 415,
    answer: { code: 'unsupported_media_type' },
  },
  { title: 'a form', request: post('name=Ada', { 'content-type': 'application/x-www-form-urlencoded' }), status: 415 },
  { title: 'a merge patch where none is taken', request: post('{}', { 'content-type': 'application/merge-patch+json' }), status: 415 },
  { title: 'a body without a type', request: post('{}', { 'content-type': '' }), status: 415 },
  {
    title: 'a compressed body',
    request: post(gzipSync(JSON.stringify(ada)), { ...json, 'content-encoding': 'gzip' }),
    status: 415,
    answer: { code: 'unsupported_media_type', detail: 'Send the body as it is, without Content-Encoding.' },
  },
  {
    title: 'JSON with a charset',
    request: post(JSON.stringify(ada), { 'content-type': 'application/json; charset=utf-8' }),
    status: 201,
    hooks: ['beforeInsert', 'afterInsert', 'afterCommit'],
    audit: ['create'],
  },
]

const bodiless = { method: 'POST' as const, url: '/users', payload: ada }
const headers: Scenario[] = [
  {
    title: 'no X-User',
    request: { ...bodiless, headers: { 'x-user': '' } },
    status: 400,
    answer: { code: 'missing_actor', detail: 'Missing X-User header', message: 'Missing X-User header' },
  },
  { title: 'an X-User of spaces', request: { ...bodiless, headers: { 'x-user': '   ' } }, status: 400, answer: { code: 'missing_actor' } },
  {
    title: 'an X-User that is too long',
    request: { ...bodiless, headers: { 'x-user': 'x'.repeat(256) } },
    status: 400,
    answer: { code: 'bad_request' },
  },
  {
    title: 'two of X-User',
    request: { ...bodiless, headers: { 'x-user': ['ann', 'ben'] } },
    status: 400,
    answer: { code: 'bad_request', detail: 'X-User is given twice.' },
  },
  {
    title: 'an X-User with control characters',
    request: { ...bodiless, headers: { 'x-user': 'a\tb' } },
    status: 400,
    answer: { code: 'bad_request' },
  },
  {
    title: 'an X-Request-Id that is too long',
    request: { ...bodiless, headers: { 'x-request-id': 'x'.repeat(129) } },
    status: 400,
    answer: { code: 'bad_request' },
  },
  {
    title: 'an X-Request-Id that is no ASCII',
    request: { ...bodiless, headers: { 'x-request-id': 'é' } },
    status: 400,
    answer: { code: 'bad_request' },
  },
  {
    title: 'an X-Request-Id of its own',
    request: { ...bodiless, headers: { 'x-request-id': 'my request/7' } },
    status: 201,
    headers: { 'x-request-id': 'my request/7' },
    hooks: ['beforeInsert', 'afterInsert', 'afterCommit'],
    audit: ['create'],
  },
]

const moments = ['beforeInsert', 'afterInsert'] as const
const hooks: Scenario[] = moments.flatMap((moment): Scenario[] => [
  {
    title: `a hook that throws in ${moment}`,
    request: post(JSON.stringify({ ...ada, name: `throws in ${moment}` })),
    status: 500,
    answer: { code: 'internal_error' },
    without: ['secret of the server', '/etc/passwd', 'stack', '.ts'],
    hooks: moment === 'beforeInsert' ? ['beforeInsert'] : ['beforeInsert', 'afterInsert'],
  },
  {
    title: `a hook that finds fault in ${moment}`,
    request: post(JSON.stringify({ ...ada, name: `refused in ${moment}` })),
    status: 422,
    answer: { code: 'validation_failed', detail: 'name: is not welcome here', errors: [{ path: 'name', message: 'is not welcome here' }] },
    hooks: moment === 'beforeInsert' ? ['beforeInsert'] : ['beforeInsert', 'afterInsert'],
  },
])

describeEngines('bad input gets the answer of the guarantees', (engine) => {
  test.each([...bodies, ...headers, ...hooks].map((scenario) => [scenario.title, scenario] as const))('%s', async (_title, scenario) => {
    await play(engine, scenario)
  })

  test.each(['PUT', 'PATCH'] as const)('%s refuses the same bodies', async (method) => {
    const server = await startServer(engine)
    const { id } = await addUser(server)
    const cases: [payload: string, status: number][] = [
      ['{"name":', 400],
      [deep(50_000), 400],
      ['{"__proto__":{}}', 400],
      ['[]', 422],
      ['{"name":null}', 422],
      ['{"age":9007199254740993}', 422],
      ['{"colour":1}', 422],
      ['{"id":[1]}', 422],
      ['{"row_version":"x"}', 422],
      ['{"created_at":null}', 422],
    ]
    for (const [payload, status] of cases) {
      const response = await server.app.inject({ method, url: `/users/${id}`, headers: { ...json, 'x-user': 'tester' }, payload })
      expect(response.statusCode, `${payload.slice(0, 40)}: ${response.body}`).toBe(status)
      expectProblem(response)
    }
    expect(await server.storage.audit.count()).toBe(1)
  })

  test('a made request id is a UUID, the same in answer, problem and audit entry', async () => {
    const server = await startServer(engine)
    const made = await server.app.inject({ method: 'POST', url: '/users', headers: { 'x-user': 'tester' }, payload: ada })
    const requestId = made.headers['x-request-id']
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/)
    expect(await server.storage.audit.findOne()).toMatchObject({ request_id: requestId, actor: 'tester' })
  })

  test('an actor with letters beyond ASCII is understood as UTF-8', async () => {
    const server = await startServer(engine)
    const name = Buffer.from('José Ωmega', 'utf8').toString('latin1')
    const response = await server.app.inject({ method: 'POST', url: '/users', headers: { 'x-user': name }, payload: ada })
    expect(response.json()).toMatchObject({ created_by: 'José Ωmega' })
  })

  test('PUT of no id at all finds nothing', async () => {
    const { app } = await startServer(engine)
    const response = await app.inject({ method: 'PUT', url: '/users/', headers: { 'x-user': 'tester' }, payload: {} })
    expect(response.statusCode).toBe(404)
    expect(response.json()).toMatchObject({ code: 'not_found', detail: 'This path ends where the id of a record should be.' })
  })

  test.each(['PATCH', 'DELETE'] as const)('%s of no id at all touches nobody', async (method) => {
    const server = await startServer(engine)
    await addUser(server)
    const headers = { 'x-user': 'tester' }
    const response = await server.app.inject({ method, url: '/users/', headers, ...(method === 'PATCH' && { payload: { age: 1 } }) })
    expect(response.statusCode).toBe(400)
    expect(response.json()).toMatchObject({ code: 'invalid_query' })
    expect(await server.users.count({ age: { isNull: true } })).toBe(1)
  })

  test('a text that is too long for an index is refused or stored whole, but is no fault of the server', async () => {
    const { app } = await startServer(engine)
    const email = `${randomBytes(50_000).toString('hex')}@example.com`
    const made = await app.inject({ method: 'POST', url: '/users', headers: { 'x-user': 'tester' }, payload: { ...ada, email } })
    if (made.statusCode === 201) expect((await app.inject({ url: '/users/1' })).json()).toMatchObject({ email })
    else expect(made.json()).toMatchObject({ status: 422, code: 'validation_failed' })
  })

  test('reads need no actor', async () => {
    const server = await startServer(engine)
    expect((await server.app.inject({ url: '/users' })).statusCode).toBe(200)
  })
})

test('of an array that is all wrong, a hundred faults are told and the rest is not looked at', () => {
  const bodies: unknown[] = Array.from({ length: 300 }, () => null)
  Object.defineProperty(bodies, 200, {
    get() {
      throw new Error('nobody needs to look here')
    },
  })
  expect(() => newRecords(User, bodies)).toThrow(expect.objectContaining({ issues: expect.objectContaining({ length: 100 }) }))
})
