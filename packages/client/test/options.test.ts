import { readFileSync } from 'node:fs'
import { errorCatalogue } from '@strongroom/contract'
import { describe, expect, test } from 'vitest'
import type { ClientOptions } from '../src/index.ts'
import * as strongroom from '../src/index.ts'
import { readError } from '../src/read-error.ts'
import { clientOf } from './support.ts'

test('options that cannot be are refused', () => {
  const make = (options: Partial<ClientOptions>) => () => clientOf('http://127.0.0.1', options)
  expect(make({ timeout: 0 })).toThrow(RangeError)
  expect(make({ retries: { attempts: 0 } })).toThrow(RangeError)
  expect(make({ retries: { delay: -1 } })).toThrow(RangeError)
  expect(make({ baseUrl: undefined as never })).toThrow('baseUrl says where')
  expect(make({ responses: 'wrapped' as never })).toThrow('bare, envelope')
  expect(make({ baseURL: '' } as never)).toThrow('"baseURL" is no option of createClient. There are baseUrl,')
})

test('a client can be awaited and printed, and says nothing of components that it was not asked for', async () => {
  const client = clientOf('http://127.0.0.1')
  expect(await client).toBe(client)
  expect(JSON.stringify(client)).toBe('{}')
})

describe('the reference', () => {
  const page = readFileSync(new URL('../../../docs/reference/client.md', import.meta.url), 'utf8')
  const source = (name: string) => readFileSync(new URL(`../src/${name}.ts`, import.meta.url), 'utf8')
  const missing = (names: readonly string[]) => names.filter((name) => !new RegExp(`[\`.]${name}[(\`:<]`).test(page))

  test('names every method', () => {
    const methods = Object.keys(clientOf('http://127.0.0.1').users)
    expect(methods.length).toBeGreaterThan(10)
    expect(missing([...methods, 'batch'])).toEqual([])
  })

  test('names every option', () => {
    const options = ['options', 'list-options', 'aggregate'].flatMap((file) =>
      [...source(file).matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = '']) => name),
    )
    expect(options.length).toBeGreaterThan(20)
    expect(missing(options)).toEqual([])
  })

  test('names everything that the package exports', () => {
    expect(missing(Object.keys(strongroom))).toEqual([])
  })

  test('has the class of every error that a server answers', () => {
    for (const [code, { status }] of Object.entries(errorCatalogue)) {
      const { name } = readError(status, { code, detail: 'Because.' }, undefined)
      if (status !== 500 && name !== 'StrongroomClientError') {
        expect(page, code).toMatch(new RegExp(`^\\| \`${name}\` .*\`${code}\``, 'm'))
      }
    }
  })
})
