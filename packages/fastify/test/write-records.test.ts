import { describeEngines } from '@strongroom/testkit'
import { describe, expect, test } from 'vitest'
import { ada, addUser, play, type Scenario, startServer } from './support.ts'

const insertHooks = ['beforeInsert', 'afterInsert', 'afterCommit']
const updateHooks = ['beforeUpdate', 'afterUpdate', 'afterCommit']
const deleteHooks = ['beforeDelete', 'afterDelete', 'afterCommit']
const restoreHooks = ['beforeRestore', 'afterRestore', 'afterCommit']
const uuid = '01890a5d-ac96-774b-bcce-b302099a8057'

const create: Scenario[] = [
  {
    title: 'a record is inserted, stamped and answered without its secret',
    request: { method: 'POST', url: '/users', payload: { ...ada, password_hash: 'canary' } },
    status: 201,
    answer: {
      id: 1,
      ...ada,
      role: 'operator',
      age: null,
      active: true,
      level: 1,
      created_by: 'tester',
      updated_by: 'tester',
      deleted_at: null,
    },
    without: ['password_hash', 'canary', 'row_version'],
    headers: { location: '/users/1', 'content-type': 'application/json; charset=utf-8', 'access-control-expose-headers': /Location/ },
    hooks: insertHooks,
    audit: ['create'],
  },
  {
    title: 'a trailing slash makes no difference',
    request: { method: 'POST', url: '/users/', payload: ada },
    status: 201,
    headers: { location: '/users/1' },
    hooks: insertHooks,
    audit: ['create'],
  },
  {
    title: 'values of every kind travel as the contract says',
    request: {
      method: 'POST',
      url: '/users',
      payload: {
        ...ada,
        age: 36,
        active: false,
        balance: '12.5',
        visits: '9007199254740993',
        born: '1815-12-10T01:00:00+01:00',
        settings: { a: [1, null] },
        photo: 'AAEC',
      },
    },
    status: 201,
    answer: {
      age: 36,
      active: false,
      balance: '12.50',
      visits: '9007199254740993',
      born: '1815-12-10T00:00:00.000Z',
      settings: { a: [1, null] },
      photo: 'AAEC',
    },
    hooks: insertHooks,
    audit: ['create'],
  },
  {
    title: 'an exact number is taken for a 64-bit integer and a decimal',
    request: { method: 'POST', url: '/users', payload: { ...ada, visits: 7, balance: 1.5 } },
    status: 201,
    answer: { visits: '7', balance: '1.50' },
    hooks: insertHooks,
    audit: ['create'],
  },
  {
    title: 'an array inserts all and answers an array',
    request: { method: 'POST', url: '/users', payload: [ada, { name: 'Bob', email: 'b@example.com' }] },
    status: 201,
    answer: [
      { id: 1, name: 'Ada' },
      { id: 2, name: 'Bob' },
    ],
    headers: { location: null },
    hooks: ['beforeInsert', 'beforeInsert', 'afterInsert', 'afterInsert', 'afterCommit', 'afterCommit'],
    audit: ['create', 'create'],
  },
  { title: 'an empty array inserts nothing', request: { method: 'POST', url: '/users', payload: [] }, status: 201, answer: [] },
  {
    title: 'an array with one bad record inserts none, and says which',
    request: { method: 'POST', url: '/users', payload: [ada, { name: '', email: 'b@example.com' }, 7] },
    status: 422,
    answer: { code: 'validation_failed', errors: [{ path: '1.name' }, { path: '2' }] },
  },
  {
    title: 'an array whose last record conflicts inserts none',
    request: { method: 'POST', url: '/users', payload: [ada, { ...ada, name: 'Eve' }] },
    status: 409,
    answer: { code: 'unique_conflict', errors: [{ path: 'email' }] },
    hooks: ['beforeInsert', 'beforeInsert'],
  },
  {
    title: 'a unique field that is taken conflicts',
    given: addUser,
    request: { method: 'POST', url: '/users', payload: ada },
    status: 409,
    answer: { code: 'unique_conflict', detail: 'Another record of users has the same email.', errors: [{ path: 'email' }] },
    hooks: ['beforeInsert'],
  },
  {
    title: 'a reference to nothing conflicts',
    request: { method: 'POST', url: '/products', payload: { name: 'Lamp', owner: 99 } },
    status: 409,
    answer: { code: 'reference_conflict', errors: [{ path: 'owner' }] },
  },
  {
    title: 'a dry run answers what would have been and keeps nothing',
    request: { method: 'POST', url: '/users?dry_run=true', payload: ada },
    status: 201,
    answer: { name: 'Ada', created_by: 'tester' },
    headers: { location: null },
    hooks: ['beforeInsert', 'afterInsert'],
  },
  {
    title: 'a text id is given by the client',
    request: { method: 'POST', url: '/tags', payload: { id: 'a/b c', label: 'x' } },
    status: 201,
    answer: { id: 'a/b c' },
    headers: { location: '/tags/a%2Fb%20c' },
    audit: ['create'],
  },
  {
    title: 'a text id is asked for',
    request: { method: 'POST', url: '/tags', payload: {} },
    status: 422,
    answer: { errors: [{ path: 'id', message: 'is required' }] },
  },
  {
    title: 'a text id that no URL can carry is refused',
    request: { method: 'POST', url: '/tags', payload: { id: '..' } },
    status: 422,
    answer: { errors: [{ path: 'id' }] },
  },
  {
    title: 'a UUID is made by the server',
    request: { method: 'POST', url: '/products', payload: { id: uuid, name: 'Lamp' } },
    status: 422,
    answer: { errors: [{ path: 'id' }] },
  },
  {
    title: 'a misspelt parameter is refused by name',
    request: { method: 'POST', url: '/users?dryrun=true', payload: ada },
    status: 400,
    answer: { code: 'invalid_query', detail: 'There is no parameter "dryrun" here. Parameters: dry_run.' },
  },
  {
    title: 'the full model takes no more',
    given: addUser,
    options: { maxRecordsPerModel: 1 },
    request: { method: 'POST', url: '/users', payload: { ...ada, email: 'b@example.com' } },
    status: 409,
    answer: { code: 'record_limit' },
    hooks: ['beforeInsert', 'afterInsert'],
  },
]

const save: Scenario[] = [
  {
    title: 'the given fields change and the others stay',
    given: (server) => addUser(server, { age: 36, password_hash: 'canary' }),
    request: { method: 'PUT', url: '/users/{id}', payload: { name: 'Ada L.' } },
    status: 200,
    answer: { name: 'Ada L.', email: ada.email, age: 36, created_by: 'code', updated_by: 'tester' },
    without: ['canary'],
    hooks: updateHooks,
    audit: ['update'],
  },
  {
    title: 'with replace the others are emptied, and what a request may not set stays',
    given: (server) => addUser(server, { age: 36, level: 5, code: 'c' }),
    request: { method: 'PUT', url: '/users/{id}?replace=true', payload: { ...ada, role: 'admin' } },
    status: 200,
    answer: { ...ada, role: 'admin', age: null, level: 5, code: 'c', created_by: 'code' },
    hooks: updateHooks,
    audit: ['update'],
  },
  {
    title: 'with replace a required field is asked for',
    given: addUser,
    request: { method: 'PUT', url: '/users/{id}?replace=1', payload: { name: 'Ada' } },
    status: 422,
    answer: { errors: [{ path: 'email', message: 'is required' }] },
    hooks: ['beforeUpdate'],
  },
  {
    title: 'a save that changes nothing writes nothing',
    given: addUser,
    request: { method: 'PUT', url: '/users/{id}/', payload: { name: 'Ada' } },
    status: 200,
    hooks: ['beforeUpdate'],
  },
  {
    title: 'an unknown integer id is not found',
    request: { method: 'PUT', url: '/users/7', payload: ada },
    status: 404,
    answer: { code: 'not_found', detail: 'users has no record 7.' },
  },
  {
    title: 'another id in the body is refused',
    given: addUser,
    request: { method: 'PUT', url: '/users/{id}', payload: { id: 99, name: 'Ada' } },
    status: 422,
    answer: { errors: [{ path: 'id', message: 'is another id than that of the path' }] },
  },
  {
    title: 'a changed stamp is refused by name',
    given: addUser,
    request: { method: 'PUT', url: '/users/{id}', payload: { created_by: 'eve', level: 9, code: 'z', deleted_at: '2020-01-01T00:00:00Z' } },
    status: 422,
    answer: { errors: [{ path: 'created_by' }, { path: 'level' }, { path: 'code' }, { path: 'deleted_at' }] },
  },
  {
    title: 'a deleted record is restored first',
    given: async (server) => {
      const { id } = await addUser(server)
      await server.users.delete(id)
      return { id }
    },
    request: { method: 'PUT', url: '/users/{id}', payload: ada },
    status: 409,
    answer: { code: 'state_conflict' },
  },
  {
    title: 'a record is made at a UUID',
    request: { method: 'PUT', url: `/products/${uuid.toUpperCase()}`, payload: { name: 'Lamp' } },
    status: 201,
    answer: { id: uuid, name: 'Lamp' },
    headers: { location: `/products/${uuid}` },
    audit: ['create'],
  },
  {
    title: 'a record is made at a text id, which may stand in the body too',
    request: { method: 'PUT', url: '/tags/caf%C3%A9', payload: { id: 'café', label: 'x' } },
    status: 201,
    answer: { id: 'café', label: 'x' },
    audit: ['create'],
  },
  {
    title: 'no record is made with another id in the body',
    request: { method: 'PUT', url: '/tags/a', payload: { id: 'b' } },
    status: 422,
    answer: { errors: [{ path: 'id' }] },
  },
  {
    title: 'a record that is made needs its required fields',
    request: { method: 'PUT', url: `/products/${uuid}`, payload: {} },
    status: 422,
    answer: { errors: [{ path: 'name', message: 'is required' }] },
  },
  {
    title: 'a dry run makes no record',
    request: { method: 'PUT', url: '/tags/a?dry_run=True', payload: {} },
    status: 201,
    headers: { location: null },
  },
  {
    title: 'a dry run changes no record',
    given: addUser,
    request: { method: 'PUT', url: '/users/{id}?dry_run=yes', payload: { name: 'Eve' } },
    status: 200,
    answer: { name: 'Eve' },
    hooks: ['beforeUpdate', 'afterUpdate'],
  },
]

const patch: Scenario[] = [
  {
    title: 'a merge patch changes, empties and merges below a field',
    given: (server) => addUser(server, { age: 36, settings: { theme: { dark: true, size: 1 }, tags: [1, 2] } }),
    request: {
      method: 'PATCH',
      url: '/users/{id}',
      headers: { 'content-type': 'application/merge-patch+json' },
      payload: JSON.stringify({ age: null, settings: { theme: { dark: null, font: 'serif' }, tags: [3] } }),
    },
    status: 200,
    answer: { age: null, name: 'Ada', settings: { theme: { size: 1, font: 'serif' }, tags: [3] } },
    hooks: updateHooks,
    audit: ['update'],
  },
  {
    title: 'plain JSON is a merge patch too',
    given: addUser,
    request: { method: 'PATCH', url: '/users/{id}', payload: { name: 'Ada L.' } },
    status: 200,
    answer: { name: 'Ada L.' },
    hooks: updateHooks,
    audit: ['update'],
  },
  {
    title: 'an object for an empty JSON field starts from nothing',
    given: addUser,
    request: { method: 'PATCH', url: '/users/{id}', payload: { settings: { a: null, b: 1 } } },
    status: 200,
    answer: { settings: { b: 1 } },
    hooks: updateHooks,
    audit: ['update'],
  },
  {
    title: 'JSON Patch is another language',
    given: addUser,
    request: { method: 'PATCH', url: '/users/{id}', headers: { 'content-type': 'application/json-patch+json' }, payload: '[]' },
    status: 415,
    headers: { 'accept-patch': 'application/merge-patch+json, application/json' },
  },
  { title: 'an unknown id is not found', request: { method: 'PATCH', url: '/users/7', payload: { name: 'A' } }, status: 404 },
  {
    title: 'no record is made',
    request: { method: 'PATCH', url: '/tags/a', payload: { label: 'A' } },
    status: 404,
  },
  {
    title: 'an array is no patch',
    given: addUser,
    request: { method: 'PATCH', url: '/users/{id}', payload: [] },
    status: 422,
    answer: { errors: [{ path: '' }] },
  },
]

const remove: Scenario[] = [
  {
    title: 'a record with soft delete is marked',
    given: (server) => addUser(server, { password_hash: 'canary' }),
    request: { method: 'DELETE', url: '/users/{id}' },
    status: 200,
    answer: { status: 'deleted', id: 1, record: { id: 1, name: 'Ada', deleted_at: expect.any(String), updated_by: 'tester' } },
    without: ['canary'],
    hooks: deleteHooks,
    audit: ['soft_delete'],
  },
  {
    title: 'a record without soft delete goes',
    given: async (server) => ({ id: (await server.products.insert({ name: 'Lamp' })).id }),
    request: { method: 'DELETE', url: '/products/{id}/' },
    status: 200,
    answer: { status: 'deleted', record: { name: 'Lamp' } },
    audit: ['delete'],
  },
  {
    title: 'an empty body with a JSON content type is fine',
    given: addUser,
    request: { method: 'DELETE', url: '/users/{id}', headers: { 'content-type': 'application/json' } },
    status: 200,
    hooks: deleteHooks,
    audit: ['soft_delete'],
  },
  { title: 'an unknown id is not found', request: { method: 'DELETE', url: '/users/7' }, status: 404 },
  {
    title: 'a record is erased, and nothing of it is answered',
    given: addUser,
    request: { method: 'DELETE', url: '/users/{id}?erase=true' },
    status: 200,
    answer: { status: 'erased', id: 1 },
    without: ['Ada', 'record'],
    hooks: deleteHooks,
    audit: ['purge', 'erase'],
  },
  {
    title: 'what is to be erased and is not there is not found',
    request: { method: 'DELETE', url: '/users/7?erase=true' },
    status: 404,
  },
  {
    title: 'a dry run erases nothing',
    given: addUser,
    request: { method: 'DELETE', url: '/users/{id}?erase=true&dry_run=true' },
    status: 200,
    hooks: ['beforeDelete', 'afterDelete'],
  },
  {
    title: 'a deleted record is not found',
    given: async (server) => {
      const { id } = await addUser(server)
      await server.users.delete(id)
      return { id }
    },
    request: { method: 'DELETE', url: '/users/{id}' },
    status: 404,
  },
  {
    title: 'purge removes a deleted record for good',
    given: async (server) => {
      const { id } = await addUser(server)
      await server.users.delete(id)
      return { id }
    },
    request: { method: 'DELETE', url: '/users/{id}?purge=true' },
    status: 200,
    answer: { status: 'deleted', record: { name: 'Ada' } },
    hooks: deleteHooks,
    audit: ['purge'],
  },
  {
    title: 'what others point to stays',
    given: async (server) => {
      const { id } = await addUser(server)
      await server.products.insert({ name: 'Lamp', owner: id })
      return { id }
    },
    request: { method: 'DELETE', url: '/users/{id}' },
    status: 409,
    answer: { code: 'reference_conflict' },
    hooks: ['beforeDelete'],
  },
  {
    title: 'a dry run deletes nothing',
    given: addUser,
    request: { method: 'DELETE', url: '/users/{id}?dry_run=1' },
    status: 200,
    answer: { record: { deleted_at: expect.any(String) } },
    hooks: ['beforeDelete', 'afterDelete'],
  },
]

const restore: Scenario[] = [
  {
    title: 'a deleted record comes back',
    given: async (server) => {
      const { id } = await addUser(server)
      await server.users.delete(id)
      return { id }
    },
    request: { method: 'POST', url: '/users/{id}/restore' },
    status: 200,
    answer: { status: 'ok', restored: true },
    hooks: restoreHooks,
    audit: ['restore'],
  },
  {
    title: 'a live record was not deleted, with any body and a trailing slash',
    given: addUser,
    request: { method: 'POST', url: '/users/{id}/restore/', payload: {} },
    status: 200,
    answer: { status: 'ok', restored: false },
  },
  { title: 'an unknown id is not found', request: { method: 'POST', url: '/users/7/restore' }, status: 404 },
  {
    title: 'a model without soft delete keeps none to restore',
    request: { method: 'POST', url: `/products/${uuid}/restore` },
    status: 409,
    answer: { code: 'state_conflict' },
  },
  {
    title: 'a unique field that was taken meanwhile conflicts',
    given: async (server) => {
      const { id } = await addUser(server)
      await server.users.delete(id)
      await addUser(server)
      return { id }
    },
    request: { method: 'POST', url: '/users/{id}/restore' },
    status: 409,
    answer: { code: 'unique_conflict' },
    hooks: ['beforeRestore'],
  },
]

const groups = { 'POST inserts': create, 'PUT saves': save, 'PATCH merges': patch, 'DELETE deletes': remove, 'POST restores': restore }

describeEngines('writing records over HTTP', (engine) => {
  for (const [name, scenarios] of Object.entries(groups)) {
    describe(name, () => {
      test.each(scenarios.map((scenario) => [scenario.title, scenario] as const))('%s', async (_title, scenario) => {
        await play(engine, scenario)
      })
    })
  }

  test('a whole record that was read is accepted when it is sent back', async () => {
    const server = await startServer(engine)
    const { id } = await addUser(server, {
      level: 3,
      code: 'c',
      settings: { a: 1 },
      photo: new Uint8Array([1, 2]),
      balance: '1.50',
      visits: 5n,
      born: new Date(0),
    })
    const headers = { 'x-user': 'tester' }
    const read = await server.app.inject({ url: `/users/${id}` })
    const sent = { ...read.json(), name: 'Ada L.' }
    const saved = await server.app.inject({ method: 'PUT', url: `/users/${id}`, headers, payload: sent })
    expect(saved.statusCode, saved.body).toBe(200)
    expect(saved.json()).toEqual({ ...sent, updated_at: expect.any(String), updated_by: 'tester' })
    const again = await server.app.inject({ method: 'PUT', url: `/users/${id}?replace=true`, headers, payload: saved.json() })
    expect(again.json()).toEqual(saved.json())
  })

  test('two requests that make the same record at once both succeed, and one of them makes it', async () => {
    const server = await startServer(engine)
    const put = (label: string) =>
      server.app.inject({ method: 'PUT', url: '/tags/new', headers: { 'x-user': 'tester' }, payload: { label } })
    const responses = await Promise.all(['a', 'b', 'c', 'd'].map(put))
    expect(responses.map((response) => response.statusCode).sort()).toEqual([200, 200, 200, 201])
    const entries = await server.storage.audit.find({ component: 'tags' })
    expect(entries.map((entry) => entry.operation).sort()).toEqual(['create', 'update', 'update', 'update'])
  })

  test('parallel posts cannot pass the record limit', async () => {
    const server = await startServer(engine, { maxRecordsPerModel: 5 })
    const post = (index: number) =>
      server.app.inject({
        method: 'POST',
        url: '/users',
        headers: { 'x-user': 'tester' },
        payload: { name: 'U', email: `u${index}@example.com` },
      })
    const responses = await Promise.all(Array.from({ length: 20 }, (_, index) => post(index)))
    expect(responses.filter((response) => response.statusCode === 201)).toHaveLength(5)
    expect(responses.filter((response) => response.statusCode === 409)).toHaveLength(15)
    expect(await server.users.count()).toBe(5)
    expect(await server.storage.audit.count()).toBe(5)
  })

  test('of 64 parallel posts those whose hook throws leave nothing, and the others their record and entry', async () => {
    const server = await startServer(engine)
    const post = (index: number) => {
      const name = index % 4 === 0 ? 'throws in afterInsert' : 'fine'
      return server.app.inject({
        method: 'POST',
        url: '/users',
        headers: { 'x-user': 'tester' },
        payload: { name, email: `u${index}@example.com` },
      })
    }
    const responses = await Promise.all(Array.from({ length: 64 }, (_, index) => post(index)))
    expect(responses.filter((response) => response.statusCode === 201)).toHaveLength(48)
    expect(responses.filter((response) => response.statusCode === 500)).toHaveLength(16)
    const rows = await server.users.all()
    const entries = await server.storage.audit.find()
    expect(rows.every((row) => row.name === 'fine')).toBe(true)
    expect(entries.map((entry) => entry.record_id).sort()).toEqual(rows.map((row) => row.id).sort())
  })

  test('a change that depends on nothing else is left to the database, where that can do it by itself', async () => {
    const heard: string[] = []
    const server = await startServer(engine, { onStatement: ({ sql }) => heard.push(sql) })
    const send = async (method: 'PUT' | 'PATCH' | 'DELETE', payload?: Record<string, unknown>): Promise<unknown[]> => {
      heard.length = 0
      const { statusCode } = await server.app.inject({
        method,
        url: '/tags/new',
        headers: { 'x-user': 'tester' },
        ...(payload && { payload }),
      })
      return [statusCode, heard.some((sql) => /^WITH .*"tags"/s.test(sql))]
    }
    await server.tags.insert({ id: 'new', label: 'a' })
    const alone = engine.name === 'postgres'
    expect(await send('PATCH', { label: 'b' })).toEqual([200, alone])
    expect(await send('PUT', { label: 'c' })).toEqual([200, alone])
    expect(await send('PATCH', { label: 7 })).toEqual([422, false])
    expect(await send('DELETE')).toEqual([200, alone])
    await server.storage.audit.waitUntilSealed()
    expect((await server.storage.audit.find({ component: 'tags' })).map(({ after }) => after?.['label'])).toEqual(['c', 'c', 'b', 'a'])
  })
})
