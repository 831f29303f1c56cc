import type { Side } from './side.ts'

/** Ends the bench where sides answer the same request otherwise: a fast wrong answer cannot win. Each is asked for the same changes. */
export async function requireSameAnswers(sides: readonly Side[]): Promise<void> {
  for (const request of requests) {
    const answers = await Promise.all(sides.map((side) => answer(side, request)))
    const odd = answers.findIndex((text) => text !== answers[0])
    if (odd < 0) continue
    const told = [0, odd].map((index) => `${sides[index]?.name}: ${answers[index]?.slice(0, 300)}`)
    throw new Error(`${request.method} ${request.path} is answered differently.\n${told.join('\n')}`)
  }
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly body?: object
}

const requests: readonly Asked[] = [
  { method: 'GET', path: '/users/17' },
  { method: 'GET', path: '/users?limit=100&offset=200&count=none' },
  { method: 'GET', path: '/users?limit=100&id[gt]=4990&count=none' },
  { method: 'POST', path: '/users', body: { name: 'Zoë "Z" O’Hara', email: 'zoe@example.com', age: 41 } },
  { method: 'PUT', path: '/users/17', body: { age: 149 } },
  { method: 'GET', path: '/users/17' },
  { method: 'DELETE', path: '/users/5001' },
]

async function answer({ url }: Side, { method, path, body }: Asked): Promise<string> {
  const headers = { 'x-user': 'bench', ...(body && { 'content-type': 'application/json' }) }
  const response = await fetch(`${url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const { pathname } = new URL(response.headers.get('location') ?? '', url)
  return `${response.status} ${response.headers.get('content-type')} ${pathname} ${withoutNow(await response.text())}`
}

/** What a request made happened now; what was seeded has an instant of its own, which both sides must answer. */
export function withoutNow(text: string): string {
  const today = new Date().toISOString().slice(0, 10)
  return text.replaceAll(new RegExp(`${today}T[\\d:.]{12}Z`, 'g'), 'now')
}
