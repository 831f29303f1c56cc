import { type ErrorCode, errorCatalogue } from '@strongroom/contract'
import { StrongroomError } from '@strongroom/core'
import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { settleIn } from '../src/guest-scope.ts'
import { closeAfterTest, expectProblem } from './support.ts'

/** A scope with one route that throws. */
async function answerTo(error: unknown) {
  const app = closeAfterTest(Fastify())
  await app.register(async (scope) => {
    settleIn(scope, 'bare')
    scope.get('/fails', async () => {
      throw error
    })
  })
  return app.inject({ url: '/fails?password=canary' })
}

test.each(Object.keys(errorCatalogue) as ErrorCode[])('%s is answered with its status and title', async (code) => {
  const { status, title } = errorCatalogue[code]
  const response = await answerTo(
    new StrongroomError(code, 'What went wrong.', { retryAfter: 3, cause: new Error('SELECT canary FROM users') }),
  )
  expectProblem(response)
  const shown =
    status === 500 ? { code: 'internal_error', title: 'Internal error', status } : { code, title, status, detail: 'What went wrong.' }
  expect(response.json()).toMatchObject({ ...shown, type: `urn:strongroom:problem:${shown.code}`, instance: '/fails' })
  expect(response.headers['retry-after']).toBe(status === 500 ? undefined : '3')
  expect(response.body).not.toContain('canary')
})

test.each([new Error('SELECT canary'), new TypeError('canary is not a function'), 'canary', null, { statusCode: 403, message: 'canary' }])(
  'an unknown error is a 500 that tells nothing: %s',
  async (error) => {
    const response = await answerTo(error)
    expect(response.statusCode).toBe(500)
    expectProblem(response)
    expect(response.json()).toMatchObject({ code: 'internal_error' })
    expect(response.body).not.toContain('canary')
  },
)
