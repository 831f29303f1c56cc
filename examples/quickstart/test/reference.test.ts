import { ModelAccessor, openStorage, UsageError } from '@strongroom/core'
import { bootstrap, createServer } from '@strongroom/fastify'
import Fastify from 'fastify'
import { describe, expect, test } from 'vitest'
import { pages } from './doc-pages.ts'

const textOf = (name: string): string => pages.find(({ page }) => page === name)?.text ?? ''

/** The names that a function lists when it is given an option that it does not have. */
async function optionsOf(call: (options: never) => Promise<unknown>): Promise<string[]> {
  // the misspelt option is the point of it
  const error = await call({ misspelt: true } as never).catch((reason: unknown) => reason)
  if (!(error instanceof UsageError)) throw new Error('a misspelt option was not refused')
  return /There are (.*)\./.exec(error.message)?.[1]?.split(', ') ?? []
}

describe('the reference names', () => {
  test('every method of an accessor', () => {
    const prototypes: readonly object[] = [ModelAccessor.prototype, Object.getPrototypeOf(ModelAccessor.prototype)]
    const methods = prototypes.flatMap((prototype) => Object.getOwnPropertyNames(prototype)).filter((name) => name !== 'constructor')
    expect(methods.length).toBeGreaterThan(30)
    expect(methods.filter((name) => !new RegExp(`\`${name}[(\`]`).test(textOf('docs/reference/accessor.md')))).toEqual([])
  })

  test.each([
    ['openStorage', (options: never) => openStorage(options)],
    ['bootstrap', (options: never) => bootstrap(Fastify(), options)],
    ['createServer', (options: never) => createServer(options)],
  ])('every option of %s', async (_name, call) => {
    const options = await optionsOf(call)
    expect(options.length).toBeGreaterThan(5)
    expect(options.filter((name) => !new RegExp(`\`${name}[.\`]`).test(textOf('docs/reference/settings.md')))).toEqual([])
  })
})
