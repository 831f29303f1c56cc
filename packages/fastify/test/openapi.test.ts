import { Validator } from '@seriousme/openapi-schema-validator'
import { operatorRoutes, recordRoutes, systemRoutes } from '@strongroom/contract'
import { Decimal, defineModel } from '@strongroom/core'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { openApiDocument } from '../src/openapi/document.ts'
import type { OpenApiSource } from '../src/openapi/source.ts'
import { Product, Tag, User } from './support.ts'

const source = {
  components: [
    { component: 'users', model: User },
    { component: 'products', model: Product },
    { component: 'tags', model: Tag },
  ],
  prefix: '/api',
  operators: true,
  systemPaths: { health: '/alive', ready: '/ready', metrics: '/metrics', openapi: '/openapi.json', docs: false },
  pageSize: { defaultLimit: 20, maxLimit: 500 },
  dialects: [],
  info: { title: 'Strongroom API', version: '1.0.0' },
  announcedErrors: [],
  securitySchemes: {},
  namesActor: true,
  responses: 'bare',
} as const

/** What a test looks at; the document has more. */
interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly explode?: boolean
  readonly schema: Record<string, unknown>
}
interface Operation {
  readonly operationId: string
  readonly parameters?: readonly (Parameter | { readonly $ref: string })[]
  readonly requestBody?: { readonly content: Record<string, unknown> }
  readonly responses: Record<string, { readonly content: Record<string, unknown> }>
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: {
    readonly parameters: Record<string, Parameter>
    readonly schemas: Record<string, { readonly properties: Record<string, unknown>; readonly required?: readonly string[] }>
  }
}

const document = openApiDocument(source) as unknown as Document

/** The parameters of an operation, each in the place of what points to it. */
function parametersOf(path: string, method: string, of = document): Parameter[] {
  return (of.paths[path]?.[method]?.parameters ?? []).flatMap((parameter) => {
    if (!('$ref' in parameter)) return [parameter]
    return of.components.parameters[parameter.$ref.slice('#/components/parameters/'.length)] ?? []
  })
}

test('the document is OpenAPI 3.1', async () => {
  const validator = new Validator()
  const result = await validator.validate(structuredClone(document) as unknown as Record<string, unknown>)
  expect(result.errors).toBeUndefined()
  expect(result.valid).toBe(true)
  expect(validator.version).toBe('3.1')
})

test('it has every route at its place, each operation with a name of its own', () => {
  const expected = [
    ...source.components.flatMap(({ component, model }) =>
      recordRoutes
        .filter(({ operation }) => operation !== 'restore' || model.deletedAt)
        .map((route) => `${route.method.toLowerCase()} /api/${component}${route.path}`),
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
  const parameters = parametersOf('/api/users', 'get')
  const names = parameters.filter((parameter) => parameter.in === 'query').map((parameter) => parameter.name)
  expect(names).toEqual(expect.arrayContaining(['id', 'name', 'role', 'sort', 'limit', 'offset', 'count']))
  for (const hidden of ['password_hash', 'row_version', 'settings']) expect(names).not.toContain(hidden)
  expect(parameters.find((parameter) => parameter.name === 'limit')?.schema).toMatchObject({ default: 20, maximum: 500 })
  const tagNames = parametersOf('/api/tags', 'get').map((parameter) => parameter.name)
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
  const actor = (method: string, of = document) => parametersOf('/api/users', method, of).find((parameter) => parameter.name === 'X-User')
  expect(actor('post')).toMatchObject({ in: 'header', required: true })
  expect(actor('get')).toBeUndefined()
  const other = openApiDocument({ ...source, securitySchemes: {}, namesActor: false }) as unknown as Document
  expect(actor('post', other)).toBeUndefined()
})

test('dialects are named where they are on, and their parameters are left to the clients that know them', () => {
  const told = (dialects: OpenApiSource['dialects']) =>
    openApiDocument({ ...source, dialects }) as { info?: { description: string }; paths?: object }
  expect(told(['simple-rest', 'json-server']).info?.description).toContain('simple-rest, json-server')
  expect(told([]).info?.description).not.toContain('dialect')
  expect(told(['simple-rest']).paths).toEqual(told([]).paths)
})

test('errors are problems, and merge patches have both media types', () => {
  const patch = document.paths['/api/users/{id}']?.['patch']
  expect(Object.keys(patch?.requestBody?.content ?? {})).toEqual(['application/merge-patch+json', 'application/json'])
  for (const [status, response] of Object.entries(patch?.responses ?? {})) {
    expect(Object.keys(response.content)).toEqual([Number(status) < 400 ? 'application/json' : 'application/problem+json'])
  }
})

test('bytes are described as exactly the base64 that they take', () => {
  const photo = document.components.schemas['users.new']?.properties['photo'] as { readonly pattern: string }
  const pattern = new RegExp(photo.pattern, 'u')
  for (const text of ['', 'YQ==', 'YWI=', 'YWJj', 'YWJjZA==', 'YR==', 'YWJ=', 'YQ', 'YQ=', 'Y===', '====', 'YW-j', 'YWJjY', ' YWJj']) {
    expect(pattern.test(text), text).toBe(Buffer.from(text, 'base64').toString('base64') === text)
  }
})

test('an answer may have a part of the fields, and what is read along', () => {
  const inclusions = () => [
    { name: 'owner_record', model: User, side: 'one' } as const,
    { name: 'tags', model: Tag, side: 'many' } as const,
  ]
  const [users, products] = source.components
  const other = openApiDocument({ ...source, components: [users, { ...products, inclusions }] })
  const { schemas } = (other as unknown as Document).components
  expect(schemas['products.selected']?.required).toBeUndefined()
  expect(schemas['products.selected']?.properties['owner_record']).toEqual({
    anyOf: [{ $ref: '#/components/schemas/users.record' }, { type: 'null' }],
  })
  expect(schemas['products.selected']?.properties['tags']).toMatchObject({
    type: 'array',
    items: { required: ['id', 'limit', 'label', 'deleted_at'] },
  })
  expect(schemas['products.record']?.properties).not.toHaveProperty('tags')
})

test('a row of an aggregate has fields and measures of the model; a name that is both may be either', () => {
  const Page = defineModel('pages', { count: Type.String(), size: Decimal({ precision: 6, scale: 2 }) })
  const { schemas } = (openApiDocument({ ...source, components: [{ component: 'pages', model: Page }] }) as unknown as Document).components
  expect(schemas['pages.group']?.properties).toMatchObject({
    count: { anyOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }] },
    avg_size: { type: ['number', 'null'] },
    sum_size: { type: ['string', 'null'], pattern: '^-?\\d+\\.\\d{2}$' },
    max_count: { anyOf: [{ type: 'string' }, { type: 'null' }] },
  })
  expect(schemas['pages.group']?.properties).not.toHaveProperty('sum_count')
})
