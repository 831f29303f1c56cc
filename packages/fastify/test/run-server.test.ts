import { UsageError } from '@strongroom/core'
import Fastify from 'fastify'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runServer } from '../src/index.ts'

const said: unknown[] = []

beforeEach(() => {
  said.length = 0
  for (const name of ['log', 'error'] as const) vi.spyOn(console, name).mockImplementation((what) => void said.push([name, what]))
})

afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
})

test('a program says where its server can be asked', async () => {
  const app = Fastify()
  await runServer(
    async () => {
      await app.listen({ port: 0, host: '127.0.0.1' })
      return app
    },
    (origin) => `at ${origin}/docs`,
  )
  expect(said).toEqual([['log', `at ${app.listeningOrigin}/docs`]])
  expect(process.exitCode).toBeUndefined()
  await app.close()
})

test('a program that does not start says why in a sentence, where it is one for people, and ends with 1', async () => {
  await runServer(
    async () => {
      throw new UsageError('invalid_settings', 'The settings cannot be used.')
    },
    () => 'never',
  )
  expect(said).toEqual([['error', 'The settings cannot be used.']])
  expect(process.exitCode).toBe(1)
  const bug = new TypeError('x is not a function')
  await runServer(
    async () => {
      throw bug
    },
    () => 'never',
  )
  expect(said[1]).toEqual(['error', bug])
})
