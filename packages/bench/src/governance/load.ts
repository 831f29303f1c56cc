import autocannon from 'autocannon'

/** What a run of requests is: the only argument of this program, as JSON. */
export interface LoadOrder {
  readonly url: string
  readonly operation: 'get' | 'post'
  readonly connections: number
  readonly amount: number
  /** The number of the first request: ids and names are made from it. */
  readonly start: number
  /** Access tokens, which requests bear in turn; none where callers name themselves. */
  readonly tokens: readonly string[]
  /** The ids that requests read, for each token; for all where there is one list. */
  readonly ids: readonly (readonly number[])[]
}

const order = JSON.parse(process.argv[2] ?? '{}') as LoadOrder
let next = order.start

function headersOf(turn: number): Record<string, string> {
  const { tokens } = order
  const token = tokens[turn % tokens.length]
  return token === undefined ? { 'x-user': `user${turn % 20}@example.com` } : { authorization: `Bearer ${token}` }
}

function get(request: autocannon.Request): autocannon.Request {
  const turn = next++
  const ids = order.ids[turn % order.ids.length] ?? []
  return { ...request, method: 'GET', path: `/people/${ids[turn % ids.length]}`, headers: headersOf(turn) }
}

function post(request: autocannon.Request): autocannon.Request {
  const turn = next++
  const person = { name: `Person ${turn}`, email: `person${turn}@example.com`, age: turn % 100 }
  // Where nobody has signed in, whoever writes says whose the record is.
  const body = JSON.stringify(order.tokens.length > 0 ? person : { tenant: `tenant${turn % 2}`, ...person })
  return { ...request, method: 'POST', path: '/people', headers: { ...headersOf(turn), 'content-type': 'application/json' }, body }
}

const { url, connections, amount, operation } = order
const result = await autocannon({ url, connections, amount, requests: [{ setupRequest: operation === 'get' ? get : post }] })
process.stdout.write(JSON.stringify({ good: result['2xx'], failed: result.non2xx + result.errors }))
