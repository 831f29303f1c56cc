import { describe, expect, test } from 'vitest'
import {
  aggregateParameters,
  answerHeaders,
  batchRoute,
  bulkParameters,
  errorCatalogue,
  listParameters,
  operatorRoutes,
  type Route,
  readParameters,
  recordRoutes,
  reservedComponents,
  systemRoutes,
} from '../src/index.ts'

const kinds: [string, readonly Route[]][] = [
  ['record routes', recordRoutes],
  ['operator routes', operatorRoutes],
  ['system routes', systemRoutes],
  ['the batch route', [batchRoute]],
]

describe.each(kinds)('%s', (_kind, routes) => {
  test('have a name and a place of their own', () => {
    expect(new Set(routes.map((route) => route.operation)).size).toBe(routes.length)
    expect(new Set(routes.map((route) => `${route.method} ${route.path}`)).size).toBe(routes.length)
  })

  test.each(routes.map((route) => [route.operation, route] as const))('%s is whole', (_operation, route) => {
    // A question that is too long for a URL is posted, and writes nothing.
    expect(route.writes).toBe(route.method !== 'GET' && route.operation !== 'explainAccess')
    expect(route.answers.length).toBeGreaterThan(0)
    for (const code of route.errors) expect(errorCatalogue).toHaveProperty(code)
    for (const header of route.answers.flatMap((answer) => answer.headers)) expect(answerHeaders).toHaveProperty(header)
    const names = route.parameters.map((parameter) => `${parameter.in} ${parameter.name}`)
    expect(new Set(names).size).toBe(names.length)
  })
})

test('the aggregate route documents exactly the parameters that an aggregate takes', () => {
  const aggregate = recordRoutes.find((route) => route.operation === 'aggregate')
  const documented = aggregate?.parameters.filter((parameter) => parameter.in === 'query').map((parameter) => parameter.name)
  expect(documented?.toSorted()).toEqual([...aggregateParameters].toSorted())
})

test('the list route documents exactly the parameters that a list takes', () => {
  const list = recordRoutes.find((route) => route.operation === 'list')
  const documented = list?.parameters.filter((parameter) => parameter.in === 'query').map((parameter) => parameter.name)
  expect(documented?.toSorted()).toEqual([...listParameters].toSorted())
})

test.each(['patchMany', 'deleteMany'] as const)('the %s route documents exactly the parameters that it takes', (operation) => {
  const route = recordRoutes.find((candidate) => candidate.operation === operation)
  const documented = route?.parameters.filter((parameter) => parameter.in === 'query').map((parameter) => parameter.name)
  expect(documented?.toSorted()).toEqual([...bulkParameters, ...(operation === 'deleteMany' ? ['purge'] : [])].toSorted())
})

test('every system route is at a path that no component can take', () => {
  for (const { path } of systemRoutes) {
    const [name = ''] = path.slice(1).split('/')
    expect(name.includes('.') || (reservedComponents as readonly string[]).includes(name)).toBe(true)
  }
})

test('parameters of a route without filters are read by name, each once', () => {
  expect(readParameters('dry_run=1', ['dry_run', 'purge'])).toEqual(new Map([['dry_run', '1']]))
  expect(() => readParameters('dryrun=1', ['dry_run'])).toThrow('There is no parameter "dryrun" here. Parameters: dry_run.')
  expect(() => readParameters('x=1', [])).toThrow('There is no parameter "x" here. Parameters: none.')
  expect(() => readParameters('purge=1&purge=0', ['purge'])).toThrow('purge is given twice.')
})

test('parameters that list names may be given several times', () => {
  expect(readParameters('fields=id&fields=name,age', ['fields', 'purge'], ['fields'])).toEqual(new Map([['fields', 'id,name,age']]))
})
