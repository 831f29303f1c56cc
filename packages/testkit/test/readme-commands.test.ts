import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runReadmeCommands } from '../src/readme-commands.ts'

describe('the commands of a README', () => {
  let origin = ''
  /** Answers what it was asked: the path, and the header X-Token. */
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/missing' ? 404 : 200
    response.end(JSON.stringify({ data: { path: request.url }, token: request.headers['x-token'] ?? null }))
  })
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    // a server that listens on TCP has such an address
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => void server.close())

  const run = (markdown: string) => runReadmeCommands(markdown.replaceAll("'''", '```'), 'http://127.0.0.1:3000', origin)

  test('are run in order, and keep what they say for later lines', async () => {
    const { faults, ran } = await run(`
'''sh
# a comment
KEPT=$(curl -s http://127.0.0.1:3000/a | jq -r .data.path)
curl -s http://127.0.0.1:3000/b -H "X-Token: $KEPT"
'''

'''json
{ "data": { "path": "…" }, "token": "/a" }
'''
`)
    expect({ faults, ran }).toEqual({ faults: [], ran: 2 })
  })

  test('are faults where another answer is shown, or none is and the server refuses', async () => {
    const { faults } = await run(`
'''sh
curl -s http://127.0.0.1:3000/missing
'''

'''sh
curl -s http://127.0.0.1:3000/a
'''

'''json
{ "data": { "path": "/b" }, "token": null }
'''
`)
    expect(faults).toHaveLength(2)
  })

  test('may be refused where the refusal is shown', async () => {
    const { faults } = await run(`
'''sh
curl -s http://127.0.0.1:3000/missing
'''

'''json
{ "data": { "path": "/missing" }, "token": null }
'''
`)
    expect(faults).toEqual([])
  })
})
