import { verify } from '@node-rs/argon2'
import { describeEngines } from '@strongroom/testkit'
import { beforeEach, expect, test, vi } from 'vitest'
import { addUser, cheap, password, post, startServer } from './support.ts'

// The real one, which says what it was asked.
vi.mock('@node-rs/argon2', async (original) => {
  const library = await original<typeof import('@node-rs/argon2')>()
  return { ...library, verify: vi.fn(library.verify) }
})

beforeEach(() => void vi.mocked(verify).mockClear())

describeEngines('what a sign-in costs', (engine) => {
  test('is one comparison at the same price, whoever there is or is not', async () => {
    const server = await startServer(engine)
    await addUser(server)
    await addUser(server, { email: 'suspended@example.com', disabled: true })
    await addUser(server, { email: 'keyless@example.com', password: null })
    const removed = await addUser(server, { email: 'removed@example.com' })
    await server.users.delete(removed.id)
    const cases: readonly (readonly [email: string, word: string, status: number])[] = [
      ['ada@example.com', password, 200],
      ['ada@example.com', 'wrong horse battery', 401],
      ['nobody@example.com', password, 401],
      ['suspended@example.com', password, 401],
      ['keyless@example.com', password, 401],
      ['removed@example.com', password, 401],
      ["' OR '1'='1", password, 401],
    ]
    for (const [email, word, status] of cases) {
      vi.mocked(verify).mockClear()
      expect((await post(server, '/token', { email, password: word })).statusCode, email).toBe(status)
      const compared = vi.mocked(verify).mock.calls
      expect(compared, email).toHaveLength(1)
      const { memoryCost, timeCost, parallelism } = cheap
      expect(compared[0], email).toEqual([expect.stringContaining(`m=${memoryCost},t=${timeCost},p=${parallelism}`), word])
    }
  })
})
