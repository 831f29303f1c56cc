import { fileURLToPath } from 'node:url'
import { tempFolder } from '@strongroom/testkit'
import type { FastifyInstance } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { redoclyFaults, spectralFaults } from './support/lint.ts'
import { documentOf, startServer, startSmallServer } from './support/server.ts'

/** Milliseconds: both take a few seconds of a processor that may be busy with other tests. */
const slow = 120_000

test.each([
  ['answers are bare', () => startServer('bare')],
  ['answers stand in envelopes', () => startServer('envelope')],
  ['routes are few', startSmallServer],
])(
  'nothing in the document of a server whose %s is minded by Redocly or Spectral',
  async (_what, start) => {
    const app = await start()
    const document = await documentOf(app)
    await app.close()
    expect(await redoclyFaults(document)).toEqual([])
    expect(await spectralFaults(document)).toEqual([])
  },
  slow,
)

interface Example {
  startServer(options: object): Promise<FastifyInstance>
}

test.each(['blog', 'governance', 'incidents', 'central-logger'])(
  'nothing in the document of the example %s is minded by Redocly or Spectral',
  async (name) => {
    const folder = await tempFolder('openapi-example')
    onTestFinished(folder.remove)
    // an example is a program of its own, which this package does not depend on
    const example = (await import(fileURLToPath(new URL(`../../../examples/${name}/src/server.ts`, import.meta.url)))) as Example
    const app = await example.startServer({ databaseUrl: `sqlite:${folder.path}/example.db`, port: 0, logLevel: 'silent' })
    const document = await documentOf(app)
    await app.close()
    expect(await redoclyFaults(document)).toEqual([])
    expect(await spectralFaults(document)).toEqual([])
  },
  slow,
)

test('an example that does not fit its schema is minded wherever it stands, by both', async () => {
  const parameter = (name: string, example: unknown) => ({ name, in: 'query', schema: { type: 'integer' }, example, description: name })
  const operation = (operationId: string, example: unknown) => ({
    operationId,
    summary: operationId,
    description: operationId,
    tags: ['all'],
    parameters: [parameter('limit', example)],
    responses: { 200: { description: 'Done.' }, 400: { description: 'No.' } },
  })
  const documentWith = (example: unknown) => ({
    openapi: '3.1.0',
    info: { title: 'Example', version: '1.0.0', description: 'An example.', license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: 'https://api.example.org' }],
    security: [{}],
    tags: [{ name: 'all', description: 'All.' }],
    paths: { '/one': { get: operation('one', example) }, '/two': { get: operation('two', example) } },
  })
  expect(await spectralFaults(documentWith(7))).toEqual([])
  expect(await redoclyFaults(documentWith(7))).toEqual([])
  for (const faults of [await spectralFaults(documentWith('seven')), await redoclyFaults(documentWith('seven'))]) {
    expect(faults).toHaveLength(2)
    expect(faults.join(' ')).toMatch(/one.*two/)
  }
})
