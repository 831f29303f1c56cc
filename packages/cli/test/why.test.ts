import { join } from 'node:path'
import { describeEngines } from '@strongroom/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readRequest } from '../src/arguments/record-request.ts'
import { WrongUse } from '../src/faults.ts'
import { access } from './models.ts'
import { freshFolder, models, startServer, strongroom } from './support.ts'

test.each([
  ['GET', '/tasks', { component: 'tasks', operation: 'read' }],
  ['get', '/tasks/7', { component: 'tasks', operation: 'read', id: '7' }],
  ['GET', '/tasks/aggregate?group_by=title', { component: 'tasks', operation: 'read' }],
  ['POST', '/tasks/', { component: 'tasks', operation: 'create' }],
  ['PUT', '/words/a%2Fb', { component: 'words', operation: 'update', id: 'a/b' }],
  ['PATCH', '/tasks/7', { component: 'tasks', operation: 'update', id: '7' }],
  ['PATCH', '/tasks?title=x', { component: 'tasks', operation: 'update' }],
  ['DELETE', '/tasks/7', { component: 'tasks', operation: 'delete', id: '7' }],
  ['DELETE', '/tasks/7?purge=Yes', { component: 'tasks', operation: 'purge', id: '7' }],
  ['GET', '/tasks/7/history', { component: 'tasks', operation: 'read', id: '7' }],
  ['POST', '/tasks/7/revert', { component: 'tasks', operation: 'update', id: '7' }],
  ['POST', '/tasks/7/restore', { component: 'tasks', operation: 'restore', id: '7' }],
])('%s %s is a question for the rules', (method, path, request) => {
  expect(readRequest(method, path)).toEqual(request)
})

test.each([
  ['GET', 'tasks', 'begins with a slash'],
  ['GET', '/', 'no route of records'],
  ['POST', '/tasks/7', 'no route of records'],
  ['GET', '/db/audit', 'Routes under /db are for operators'],
  ['POST', '/batch', 'of a batch each operation'],
  ['DELETE', '/tasks/7?purge=perhaps', 'purge is true or false'],
  ['GET', '/tasks/%', 'percent-encoded'],
])('%s %s is none', (method, path, reason) => {
  expect(() => readRequest(method, path)).toThrow(WrongUse)
  expect(() => readRequest(method, path)).toThrow(reason)
})

describeEngines('why', (engine) => {
  let server: Awaited<ReturnType<typeof startServer>>
  beforeAll(async () => {
    server = await startServer(engine, {
      access,
      auth: { authenticate: () => ({ id: 'root', roles: ['root'] }) },
      operators: { all: 'root' },
    })
  })
  afterAll(() => server.app.close())

  describe.each(['server', 'database'] as const)('against a %s', (kind) => {
    const why = (...args: string[]) =>
      strongroom([
        'why',
        ...args.slice(0, 2),
        kind === 'server' ? server.url : server.databaseUrl,
        ...args.slice(2),
        ...(kind === 'server' ? [] : ['--accessors', models]),
      ])

    test('names the rule that allows it, and the fields that are left out', async () => {
      const { code, stdout } = await why('PATCH', '/tasks/1', '--as', '1')
      expect([code, stdout]).toEqual([
        0,
        `answer      allowed
question    update tasks/1
caller      1
rule        tasks.update[1]
reason      The record holds the condition.
cannot set  owner_id
`,
      ])
    })

    test('has an exit code of its own for what is denied, and says why even where it is to be quiet', async () => {
      const { code, stdout } = await why('PATCH', '/tasks/1', '--as', '2', '--quiet')
      expect([code, stdout]).toEqual([5, expect.stringContaining('does not hold the condition under which')])
      expect((await why('PATCH', '/tasks/99', '--as', '1')).stdout).toContain('There is no such record.')
      expect((await why('POST', '/tasks', '--as', '1')).stdout).toContain('no rule for create')
    })

    test('knows roles, and callers whom nobody knows', async () => {
      const { code, json } = await why('DELETE', '/tasks/1?purge=true', '--as', 'ann', '--role', 'member', '--role', 'admin', '--json')
      expect([code, json]).toEqual([
        0,
        { allowed: true, rule: 'tasks.delete: role admin', reason: 'The record holds the condition.', fields: { hidden: [], locked: [] } },
      ])
      expect((await why('PATCH', '/tasks/1', '--as', 'ann', '--role', 'admin')).code).toBe(0)
      expect([(await why('GET', '/tasks')).code, (await why('PATCH', '/tasks/1')).code]).toEqual([0, 5])
    })

    test('says what it needs, and what there is not', async () => {
      const unknown = await why('GET', '/taks', '--as', '1', '--json')
      expect([unknown.code, unknown.stderr]).toEqual([kind === 'server' ? 3 : 2, expect.stringContaining('users, tasks')])
      expect(await why('GET', '/tasks', '--role', 'admin')).toMatchObject({ code: 2, stderr: expect.stringContaining('--as') })
    })
  })

  test('answers of a server and of its database are the same', async () => {
    const ask = async (target: string, ...more: string[]) =>
      (await strongroom(['why', 'GET', '/tasks/1', target, '--as', '"7"', '--tenant', '*', '--scope', 'read', '--json', ...more])).json
    expect(await ask(server.databaseUrl, '--accessors', models)).toEqual(await ask(server.url))
  })

  test('needs the rules', async () => {
    expect(await strongroom(['why', 'GET', '/tasks', server.databaseUrl])).toMatchObject({ code: 2 })
    expect(await strongroom(['why', 'GET'])).toMatchObject({ code: 2, stderr: expect.stringContaining('Say which request') })
    const missing = await strongroom(['why', 'GET', '/tasks', join(await freshFolder(), 'none.db'), '--accessors', models])
    expect(missing.code).toBe(2)
  })
})
