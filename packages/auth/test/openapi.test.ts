import { createRequire } from 'node:module'
import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { authOpenApi } from '../src/index.ts'
import { addUser, bearer, password, post, signIn, startServer } from './support.ts'

const { Compile }: { Compile: (schema: object) => { Errors(value: unknown): [boolean, object[]] } } = createRequire(import.meta.url)(
  'typebox/schema',
)
const { paths, securitySchemes, security } = authOpenApi('/api')

/** What the document says of an answer. */
function schemaOf(method: string, path: string, status: number): object {
  const operation = paths[`/api/auth${path}`]?.[method.toLowerCase()] as {
    responses: Record<string, { content: Record<string, { schema: object }> }>
  }
  const schema = operation.responses[String(status)]?.content['application/json']?.schema
  if (!schema) throw new Error(`${method} ${path} ${status} is not described.`)
  return schema
}

describeEngines('the description of the routes', (engine) => {
  test('has every route, and what it answers', async () => {
    const server = await startServer(engine)
    await addUser(server, { tenant: 'acme' })
    const { access_token, refresh_token } = await signIn(server)
    const headers = bearer(access_token)
    const key = await post(server, '/api-keys', { name: 'ci', scopes: ['read'] }, headers)
    const answers = [
      ['POST', '/api-keys', key],
      ['POST', '/token', await post(server, '/token', { email: 'ada@example.com', password })],
      ['POST', '/refresh', await post(server, '/refresh', { refresh_token })],
      ['GET', '/me', await server.app.inject({ url: '/auth/me', headers })],
      ['GET', '/api-keys', await server.app.inject({ url: '/auth/api-keys', headers })],
      ['DELETE', '/api-keys/{id}', await server.app.inject({ method: 'DELETE', url: `/auth/api-keys/${key.json().id}`, headers })],
      ['POST', '/password', await post(server, '/password', { current_password: password, new_password: `${password}!` }, headers)],
      ['POST', '/logout', await post(server, '/logout', {}, headers)],
    ] as const
    for (const [method, path, response] of answers) {
      const [, faults] = Compile(schemaOf(method, path, response.statusCode)).Errors(response.json())
      expect(faults, `${method} ${path}: ${response.body}`).toEqual([])
    }
    const described = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.slice(9)}`),
    )
    expect(described.sort()).toEqual(answers.map(([method, path]) => `${method} ${path}`).sort())
  })
})

test('ways to say who one is are those that routes ask for', () => {
  expect(security.flatMap((way) => Object.keys(way)).sort()).toEqual(Object.keys(securitySchemes).sort())
})
