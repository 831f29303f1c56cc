import { cp, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient } from '@hey-api/openapi-ts'
import { runScript, type TempFolder, tempFolder } from '@strongroom/testkit'
import type { FastifyInstance } from 'fastify'
import openapiTypeScript, { astToString } from 'openapi-typescript'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { documentOf, startServer } from './support/server.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** As strict as programs are that use generated code; they need not have DOM types. */
const compilerOptions = {
  target: 'ES2023',
  module: 'NodeNext',
  strict: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  allowImportingTsExtensions: true,
  noEmit: true,
  types: ['node'],
}

/** Milliseconds: generators and compiler take a few seconds of a processor that may be busy with other tests. */
const slow = 120_000

let app: FastifyInstance
let folder: TempFolder
let baseUrl: string

beforeAll(async () => {
  app = await startServer('bare')
  baseUrl = await app.listen({ host: '127.0.0.1', port: 0 })
  folder = await tempFolder('clients')
  const at = (name: string) => join(folder.path, name)
  const document = await documentOf(app)
  await cp(here('./programs'), folder.path, { recursive: true })
  await symlink(here('../node_modules'), at('node_modules'), 'junction')
  await writeFile(at('package.json'), JSON.stringify({ type: 'module' }))
  await writeFile(at('tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts', 'hey-api'] }))
  // What has a default may be left out of a body.
  await writeFile(at('schema.ts'), astToString(await openapiTypeScript(JSON.stringify(document), { defaultNonNullable: false })))
  await createClient({
    input: document,
    output: { path: at('hey-api'), module: { extension: '.ts' } },
    logs: { level: 'silent', file: false },
  })
}, slow)

afterAll(async () => {
  await app.close()
  await folder.remove()
})

test(
  'programs that use the generated clients compile, and wrong uses do not',
  async () => {
    const compiler = runScript(here('../../../node_modules/typescript/bin/tsc'), { args: ['-p', folder.path] })
    const { code } = await compiler.ended
    expect(compiler.output()).toBe('')
    expect(code).toBe(0)
  },
  slow,
)

test.each(['fetch', 'hey-api'])('the program %s works against a server', async (name) => {
  const program = runScript(join(folder.path, `${name}.ts`), { env: { BASE_URL: baseUrl } })
  const { code } = await program.ended
  expect(program.output()).toBe('')
  expect(code).toBe(0)
})
