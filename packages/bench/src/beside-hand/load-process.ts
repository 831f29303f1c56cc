import autocannon from 'autocannon'

/** A run of requests. */
export interface LoadOrder {
  readonly url: string
  readonly operation: Operation
  readonly connections: number
  readonly amount: number
  /** The number of the first request: ids and names are made from it. */
  readonly start: number
}

export type Operation = 'get' | 'list' | 'post' | 'put' | 'delete'

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

function setup({ operation, start }: LoadOrder): autocannon.Request {
  let next = start
  const requests: Record<Operation, autocannon.Request> = {
    get: { method: 'GET', setupRequest: (request) => ({ ...request, path: `/users/${(next++ % touched) + 1}` }) },
    list: { method: 'GET', path: '/users?limit=100&offset=200&count=none' },
    post: { method: 'POST', path: '/users', headers: json, setupRequest: (request) => ({ ...request, body: person(next++) }) },
    put: {
      method: 'PUT',
      headers: json,
      setupRequest: (request) => {
        const index = next++
        return {
          ...request,
          path: `/users/${(index % touched) + 1}`,
          body: JSON.stringify({ age: 100 + (Math.floor(index / touched) % 50) }),
        }
      },
    },
    delete: { method: 'DELETE', headers: { 'x-user': 'bench' }, setupRequest: (request) => ({ ...request, path: `/users/${next++}` }) },
  }
  return requests[operation]
}

function person(index: number): string {
  return JSON.stringify({ name: `Person ${index}`, email: `person${index}@example.com`, age: index % 100 })
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
