import autocannon from 'autocannon'
import { type Asked, type Wire, type WireName, wires } from './wires.ts'

/** A run of requests. */
export interface LoadOrder {
  readonly url: string
  readonly operation: Operation
  readonly connections: number
  readonly amount: number
  /** The number of the first request: ids and names are made from it. */
  readonly start: number
  readonly wire: WireName
}

export type Operation = 'get' | 'list' | 'pages' | 'post' | 'put' | 'delete'

/** What came of it. */
export interface LoadReport {
  readonly good: number
  readonly failed: number
  /** From the first request to the last answer. */
  readonly seconds: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/** Puts servers under load, in a process of its own, so that it does not take from a server's loop. */
process.on('message', (order: LoadOrder) => {
  void run(order).then((report) => process.send?.(report))
})

const json = { 'content-type': 'application/json', 'x-user': 'bench' }

/** Records that reads and changes turn to. */
const touched = 5_000

/** Pages of a hundred records that are asked for in turn: more than anybody remembers. */
const pages = 40_000

/** What each request asks for. A list is the same each time, and made once; of pages each is another one. */
function setup({ operation, start, wire: name }: LoadOrder): autocannon.Request {
  const wire: Wire = wires[name]
  if (operation === 'list') return whole(wire.list(100, 200))
  let next = start
  const asked: Record<Exclude<Operation, 'list'>, (index: number) => Asked> = {
    get: (index) => wire.get((index % touched) + 1),
    pages: (index) => wire.page(100, index % pages),
    post: (index) => wire.post(person(index)),
    put: (index) => wire.put((index % touched) + 1, { age: 100 + (Math.floor(index / touched) % 50) }),
    delete: (index) => wire.delete(index),
  }
  const ask = asked[operation]
  return { setupRequest: (request) => ({ ...request, ...whole(ask(next++)) }) }
}

function whole({ method, path, body }: Asked): autocannon.Request {
  if (body) return { method, path, headers: json, body: JSON.stringify(body) }
  return method === 'GET' ? { method, path } : { method, path, headers: { 'x-user': 'bench' } }
}

function person(index: number): { readonly name: string; readonly email: string; readonly age: number } {
  return { name: `Person ${index}`, email: `person${index}@example.com`, age: index % 100 }
}

function run(order: LoadOrder): Promise<LoadReport> {
  const { url, connections, amount } = order
  const times: number[] = []
  let ended = 0
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const instance = autocannon({ url, connections, amount, requests: [setup(order)] }, (error, result) => {
      if (error) return reject(error)
      times.sort((a, b) => a - b)
      const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN
      const seconds = (ended - started) / 1_000
      resolve({ good: result['2xx'], failed: result.non2xx + result.errors, seconds, p50: at(0.5), p99: at(0.99) })
    })
    instance.on('response', (_client, _status, _bytes, milliseconds) => {
      times.push(milliseconds)
      ended = performance.now()
    })
  })
}
