import { defineModel, ModelAccessor } from '@strongroom/core'
import { Type } from 'typebox'
import { afterEach, expect, test, vi } from 'vitest'
import { type BootstrapOptions, crudRouter, dbRouter, trustedHeader } from '../src/index.ts'
import { resolveOptions } from '../src/options.ts'
import { resolveServerOptions } from '../src/server-options.ts'

const users = new ModelAccessor(defineModel('option_users', { name: Type.String() }), 'users')
const accessors = [users]

afterEach(() => {
  vi.unstubAllEnvs()
})

test('the defaults are those of the contract', () => {
  vi.stubEnv('DATABASE_URL', undefined)
  expect(resolveOptions({ accessors })).toMatchObject({
    storage: { url: 'sqlite:./strongroom.db' },
    enableDbRouter: true,
    prefix: '',
    systemPaths: { health: '/health', ready: '/ready', metrics: '/metrics', openapi: '/openapi.json', docs: '/docs' },
    pageSize: { defaultLimit: 50, maxLimit: 100 },
    bodyLimit: 1_048_576,
  })
})

test('pages may be longer for the clients that dialects are for', () => {
  expect(resolveOptions({ accessors, dialects: ['simple-rest'] }).pageSize).toEqual({ defaultLimit: 50, maxLimit: 1000 })
  expect(resolveOptions({ accessors, dialects: ['simple-rest'], pageSize: { maxLimit: 20 } }).pageSize.maxLimit).toBe(20)
})

test('DATABASE_URL counts where no URL is given', () => {
  vi.stubEnv('DATABASE_URL', 'sqlite:./from-environment.db')
  expect(resolveOptions({ accessors }).storage.url).toBe('sqlite:./from-environment.db')
  expect(resolveOptions({ accessors, databaseUrl: 'sqlite:./from-code.db' }).storage.url).toBe('sqlite:./from-code.db')
})

const bad: [options: object, message: string | RegExp][] = [
  [{ accessors, maxRecords: 5 }, /"maxRecords" is no option of bootstrap\. There are accessors, /],
  [{ accessors, login: {} }, /"login" is no option of bootstrap/],
  [{ accessors, auth: {} }, /auth is trustedHeader\(\), an object with authenticate\(request\)/],
  [{ accessors, auth: trustedHeader(), actor: () => 'x' }, /Leave actor out, or leave auth out/],
  [{ accessors, operators: { all: 'x' } }, /operators by role need to know who asks/],
  [{ accessors, auth: trustedHeader(), operators: { alle: 'x' } }, /alle/],
  [{ accessors, dialects: ['odata'] }, 'dialects names "odata", which is none. There are simple-rest, json-server.'],
  [{ accessors, dialects: 'simple-rest' }, 'dialects is a list of simple-rest, json-server.'],
  [{ accessors, dialects: ['json-server'], responses: 'envelope' }, /dialects are for clients that take bare answers/],
  [{ accessors, response: 'envelope' }, /"response" is no option of bootstrap/],
  [{ accessors, responses: 'xml' }, /responses is one of bare, envelope/],
  [{}, 'bootstrap needs accessors: accessors: [users].'],
  [{ accessors, prefix: 'api' }, 'prefix is a path like "/api".'],
  [{ accessors, prefix: '/a?b' }, 'prefix is a path like "/api".'],
  [{ accessors, systemRoutes: { status: '/m' } }, /"status" is no option of systemRoutes/],
  [{ accessors, systemRoutes: { health: 'health' } }, 'systemRoutes.health is a path like "/health", or false.'],
  [{ accessors, systemRoutes: { openapi: false } }, /systemRoutes\.docs shows the document/],
  [{ accessors, pageSize: { defaultLimit: 0 } }, 'pageSize.defaultLimit is a whole number from 1 on.'],
  [{ accessors, pageSize: { defaultLimit: 9, maxLimit: 5 } }, 'pageSize.defaultLimit is larger than pageSize.maxLimit.'],
  [{ accessors, bodyLimit: 1.5 }, 'bodyLimit is a whole number from 1 on.'],
  [{ accessors, rateLimit: true }, 'rateLimit is { requests: 100, period: 60 }.'],
  [{ accessors, rateLimit: { requests: 0, period: 1 } }, 'rateLimit.requests is a whole number from 1 on.'],
  [{ accessors, actor: 'me' }, 'actor is a function of the request that answers a name.'],
]

test.each(bad)('%j is refused with a sentence', (options, message) => {
  expect(() => resolveOptions(options as BootstrapOptions)).toThrow(message)
})

test.each(['batch', 'db', 'auth', 'health', 'ready', 'metrics', 'docs', 'DB'])('no component can be called %s', (name) => {
  const taken = new ModelAccessor(defineModel('taken', { name: Type.String() }), name)
  expect(() => resolveOptions({ accessors: [taken] })).toThrow(`A component cannot be called "${name}"`)
})

test('the routers by hand refuse options that they do not have', () => {
  expect(() => crudRouter(users, { maxRecord: 1 } as object)).toThrow('"maxRecord" is no option of crudRouter. There are maxRecords, ')
  expect(() => crudRouter({ component: 'users', model: users.model })).toThrow('crudRouter takes a ModelAccessor')
  expect(() => dbRouter({ auditLimit: 1 } as object)).toThrow('"auditLimit" is no option of dbRouter')
  expect(() => dbRouter({ auditDefaultLimit: 10, auditMaxLimit: 5 })).toThrow('auditDefaultLimit is larger than auditMaxLimit.')
})

test('a server listens where code says, else the environment, else on this machine alone', () => {
  const where = (options: object, environment: Record<string, string>) => {
    const { HOST, PORT } = resolveServerOptions({ accessors, ...options }, environment).server.settings
    return { HOST, PORT }
  }
  expect(where({}, {})).toEqual({ HOST: '127.0.0.1', PORT: 3000 })
  expect(where({}, { HOST: '::', PORT: '8080' })).toEqual({ HOST: '::', PORT: 8080 })
  expect(where({ host: 'localhost', port: 0 }, { HOST: '::', PORT: 'x' })).toEqual({ HOST: 'localhost', PORT: 0 })
})

test.each(['x', '-1', '65536', '3000.5', '1e3', ' 3000'])('PORT=%s is refused', (PORT) => {
  expect(() => resolveServerOptions({ accessors }, { PORT })).toThrow('The variable PORT is a whole number from 0 to 65535')
})

test.each([
  [{ requestTimeout: 0 }, 'requestTimeout is a whole number from 1 on.'],
  [{ headersTimeout: 5, requestTimeout: 4 }, 'headersTimeout is larger than requestTimeout.'],
  [{ pressure: { delay: 1 } }, '"delay" is no option of pressure. There are eventLoopDelay, heapBytes, rssBytes.'],
  [{ pressure: { eventLoopDelay: -1 } }, 'pressure.eventLoopDelay is a whole number from 1 on.'],
  [{ rateLimit: { request: 1 } }, '"request" is no option of rateLimit. There are requests, period, by.'],
  [{ rateLimit: { requests: 0 } }, 'The option rateLimit.requests is a whole number from 1 to 1000000000, not 0.'],
])('a server refuses %j', (options, message) => {
  expect(() => resolveServerOptions({ accessors, ...options } as never, {})).toThrow(message)
})

test('a server refuses options that it does not have', () => {
  expect(() => resolveServerOptions({ accessors, prot: 1 } as never, {})).toThrow(
    /"prot" is no option of createServer\. There are accessors, .*host, port/,
  )
})
