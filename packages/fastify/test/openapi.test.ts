import { Validator } from '@seriousme/openapi-schema-validator'
import { operatorRoutes, recordRoutes, systemRoutes } from '@strongroom/contract'
import { expect, test } from 'vitest'
import { openApiDocument } from '../src/openapi.ts'
import { Product, Tag, User } from './support.ts'

const source = {
  components: [
    { component: 'users', model: User },
    { component: 'products', model: Product },
    { component: 'tags', model: Tag },
  ],
  prefix: '/api',
  operators: true,
  systemPaths: { health: '/alive', ready: '/ready', openapi: '/openapi.json', docs: false },
  pageSize: { defaultLimit: 20, maxLimit: 500 },
  namesActor: true,
  responses: 'bare',
} as const

/** What a test looks at; the document has more. */
interface Operation {
  readonly operationId: string
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly schema: Record<string, unknown>
  }[]
  readonly requestBody?: { readonly content: Record<string, unknown> }
  readonly responses: Record<string, { readonly content: Record<string, unknown> }>
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: {
    readonly schemas: Record<string, { readonly properties: Record<string, unknown>; readonly required?: readonly string[] }>
  }
}

const document = openApiDocument(source) as unknown as Document

test('the document is OpenAPI 3.1', async () => {
  const validator = new Validator()
  const result = await validator.validate(structuredClone(document) as unknown as Record<string, unknown>)
  expect(result.errors).toBeUndefined()
  expect(result.valid).toBe(true)
  expect(validator.version).toBe('3.1')
})

test('it has every route at its place, each operation with a name of its own', () => {
  const expected = [
    ...source.components.flatMap(({ component }) =>
      recordRoutes.map((route) => `${route.method.toLowerCase()} /api/${component}${route.path}`),
    ),
    'post /api/batch',
    ...operatorRoutes.map((route) => `${route.method.toLowerCase()} /api/db${route.path}`),
    ...systemRoutes.filter((route) => route.operation !== 'docs').map((route) => `get /api${source.systemPaths[route.operation]}`),
  ]
  const found = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`))
  expect(found.sort()).toEqual(expected.sort())
  const ids = Object.values(document.paths).flatMap((methods) => Object.values(methods).map((operation) => operation.operationId))
  expect(new Set(ids).size).toBe(ids.length)
})

test('a list is described with the fields of the model and the limits of the server', () => {
  const parameters = document.paths['/api/users']?.['get']?.parameters ?? []
  const names = parameters.filter((parameter) => parameter.in === 'query').map((parameter) => parameter.name)
  expect(names).toEqual(expect.arrayContaining(['id', 'name', 'role', 'sort', 'limit', 'offset', 'count']))
  for (const hidden of ['password_hash', 'row_version', 'settings']) expect(names).not.toContain(hidden)
  expect(parameters.find((parameter) => parameter.name === 'limit')?.schema).toMatchObject({ default: 20, maximum: 500 })
  const tagNames = document.paths['/api/tags']?.['get']?.parameters?.map((parameter) => parameter.name)
  expect(tagNames).toEqual(expect.arrayContaining(['limit', 'limit[eq]']))
})

test('bodies and answers are described as they are: no secret, nothing that the server keeps, enums with their type', () => {
  const { schemas } = document.components
  expect(schemas['users.record']?.properties).not.toHaveProperty('password_hash')
  expect(schemas['users.record']?.properties).not.toHaveProperty('row_version')
  expect(schemas['users.new']?.properties).toHaveProperty('password_hash')
  for (const kept of ['id', 'created_at', 'deleted_at', 'level']) expect(schemas['users.new']?.properties).not.toHaveProperty(kept)
  expect(schemas['users.new']?.required).toEqual(['name', 'email'])
  expect(schemas['users.new']?.properties['role']).toMatchObject({ type: 'string', enum: ['operator', 'admin'], default: 'operator' })
  expect(schemas['users.saved']?.properties).toHaveProperty('id')
  expect(schemas['users.patch']?.properties).not.toHaveProperty('code')
})

test('whoever writes is asked for where the server has no other way to know', () => {
  const actor = (operation: Operation | undefined) => operation?.parameters?.find((parameter) => parameter.name === 'X-User')
  expect(actor(document.paths['/api/users']?.['post'])).toMatchObject({ in: 'header', required: true })
  expect(actor(document.paths['/api/users']?.['get'])).toBeUndefined()
  const other = openApiDocument({ ...source, namesActor: false }) as unknown as Document
  expect(actor(other.paths['/api/users']?.['post'])).toBeUndefined()
})

test('errors are problems, and merge patches have both media types', () => {
  const patch = document.paths['/api/users/{id}']?.['patch']
  expect(Object.keys(patch?.requestBody?.content ?? {})).toEqual(['application/merge-patch+json', 'application/json'])
  for (const [status, response] of Object.entries(patch?.responses ?? {})) {
    expect(Object.keys(response.content)).toEqual([Number(status) < 400 ? 'application/json' : 'application/problem+json'])
  }
})
