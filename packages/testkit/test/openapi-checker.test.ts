import { expect, test } from 'vitest'
import { checkAnswer, operationsOf } from '../src/openapi-checker.ts'

const document = {
  openapi: '3.1.0',
  info: { title: 'Users', version: '1' },
  paths: {
    '/users/{id}': {
      get: {
        responses: {
          '200': {
            description: 'The user.',
            headers: {
              ETag: { schema: { type: 'string' } },
              'X-Age': { $ref: '#/components/headers/age' },
            },
            content: { 'application/json': { schema: { $ref: '#/components/schemas/users.record' } } },
          },
          '304': { description: 'The client has it.' },
          '404': {
            description: 'Not found.',
            content: { 'application/problem+json': { schema: { type: 'object', required: ['code'] } } },
          },
        },
      },
    },
  },
  components: {
    headers: { age: { required: true, schema: { type: 'integer' } } },
    schemas: {
      'users.record': {
        type: 'object',
        additionalProperties: false,
        required: ['id'],
        properties: { id: { type: 'integer' }, seen: { type: 'string', format: 'date-time' } },
      },
    },
  },
}

const answer = {
  method: 'get',
  path: '/users/{id}',
  status: 200,
  headers: { 'content-type': 'application/json; charset=utf-8', 'content-length': 8, 'x-age': '3' },
  body: '{"id":1}',
}

test('an answer that the document describes has no faults', () => {
  expect(checkAnswer(document, answer)).toEqual([])
  expect(checkAnswer(document, { ...answer, status: 304, headers: {}, body: '' })).toEqual([])
  expect(checkAnswer(document, { ...answer, headers: { ...answer.headers, vary: 'origin' } }, ['vary'])).toEqual([])
})

test.each([
  ['another operation', { path: '/pets' }, 'the document has no such operation'],
  ['another status', { status: 500 }, 'the document has no such answer'],
  ['another media type', { headers: { ...answer.headers, 'content-type': 'text/html' } }, 'the media type is text/html'],
  ['no media type', { headers: { 'x-age': '3' } }, 'the media type is none'],
  ['a header that is not described', { headers: { ...answer.headers, vary: 'origin' } }, 'the header vary (origin) is not described'],
  ['no header where one is required', { headers: { 'content-type': 'application/json' } }, 'the header X-Age is missing'],
  ['a header of another form', { headers: { ...answer.headers, 'x-age': 'old' } }, 'the header X-Age (old)'],
  ['a body that is no JSON', { body: '{' }, 'the body is no JSON'],
  ['a body without what is required', { body: '{}' }, "must have required property 'id'"],
  ['a body with more than is described', { body: '{"id":1,"name":"Ada"}' }, 'must NOT have additional properties'],
  ['a member of another type', { body: '{"id":"1"}' }, 'at /id: must be integer'],
  ['a member of another format', { body: '{"id":1,"seen":"today"}' }, 'at /seen: must match format "date-time"'],
  ['a body where there is none', { status: 304, headers: {}, body: 'x' }, 'there is a body, and the document has none'],
])('%s is a fault', (_what, change, fault) => {
  expect(checkAnswer(document, { ...answer, ...change }).join('\n')).toContain(fault)
})

test('the operations of a document are listed with their statuses', () => {
  expect(operationsOf(document)).toEqual([{ method: 'GET', path: '/users/{id}', statuses: [200, 304, 404] }])
})
