import { diagramParameters } from '@strongroom/contract'
import { diagramFormats } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { beforeAll, expect, test } from 'vitest'
import { expectProblem, lastingServer, startServer, type TestServer } from './support.ts'

const inert = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
}

test('the parameters are those that the route documents', () => {
  expect(diagramParameters.map(({ name }) => name)).toEqual(['format', 'system'])
  expect(diagramParameters[0]?.schema['enum']).toEqual(diagramFormats)
})

describeEngines('GET /db/diagram.svg', (engine) => {
  let server: TestServer
  beforeAll(async () => {
    server = await lastingServer(engine)
    return () => server.app.close()
  })
  const get = (query = '', headers = {}) => server.app.inject({ url: `/db/diagram.svg${query}`, headers })

  test('answers a picture of the tables, in which nothing can run', async () => {
    const response = await get()
    expect(response.statusCode).toBe(200)
    expect(response.headers).toMatchObject({ 'content-type': 'image/svg+xml; charset=utf-8', ...inert })
    expect(response.body).toMatch(/^<svg /)
    for (const text of ['users', 'products', 'password_hash', 'text?, secret']) expect(response.body).toContain(`>${text}</text>`)
    expect(response.body).not.toMatch(/row_version|strongroom_/)
  })

  test('answers its source with format=dot', async () => {
    const response = await get('?format=dot')
    expect(response.headers).toMatchObject({ 'content-type': 'text/vnd.graphviz; charset=utf-8', ...inert })
    expect(response.body).toMatch(/^digraph schema \{/)
    expect((await get('?format=svg')).body).toBe((await get()).body)
  })

  test('shows the library’s own tables with system=true', async () => {
    for (const system of ['true', 'True', '1', 'yes']) {
      expect((await get(`?format=dot&system=${system}`)).body).toContain('"strongroom_audit_log" [label')
    }
    expect((await get('?format=dot&system=false')).body).not.toContain('strongroom_')
  })

  test.each(['?format=png', '?format=', '?format=svg&format=dot', '?system=perhaps', '?colour=red'])('refuses %s', async (query) => {
    const response = await get(query)
    expect(response.statusCode).toBe(400)
    expectProblem(response)
    expect(response.json()).toMatchObject({ code: 'invalid_query' })
  })

  test('is for operators', async () => {
    const response = await get('', { via: '1.1 proxy' })
    expect(response.statusCode).toBe(403)
    expectProblem(response)
  })

  test('is no JSON, and stands in no envelope', async () => {
    const { app } = await startServer(engine, { responses: 'envelope' })
    expect((await app.inject('/db/diagram.svg?format=dot')).body).toMatch(/^digraph/)
  })
})
