import autocannon from 'autocannon'

/** Puts one server under load and prints requests per second; a process of its own, so that it does not take from the server's loop. */
const [, , url = '', operation = '', connections = '64', seconds = '2', start = '0'] = process.argv
let next = Number(start)

const json = { 'content-type': 'application/json', 'x-user': 'bench' }
const person = () => {
  const index = next++
  return JSON.stringify({ name: `Person ${index}`, email: `person${index}@example.com`, age: index % 100 })
}
const requests: Record<string, autocannon.Request> = {
  get: { method: 'GET', setupRequest: (request) => ({ ...request, path: `/users/${(next++ % 5_000) + 1}` }) },
  list: { method: 'GET', path: '/users?limit=100&offset=200&count=none' },
  post: { method: 'POST', path: '/users', headers: json, setupRequest: (request) => ({ ...request, body: person() }) },
  put: {
    method: 'PUT',
    headers: json,
    setupRequest: (request) => {
      const index = next++
      return { ...request, path: `/users/${(index % 5_000) + 1}`, body: JSON.stringify({ age: Math.floor(index / 5_000) % 150 }) }
    },
  },
  delete: { method: 'DELETE', headers: { 'x-user': 'bench' }, setupRequest: (request) => ({ ...request, path: `/users/${next++}` }) },
}
const request = requests[operation]
if (!request) throw new Error(`"${operation}" is none of ${Object.keys(requests).join(', ')}`)
const result = await autocannon({ url, connections: Number(connections), duration: Number(seconds), requests: [request] })
process.stdout.write(JSON.stringify({ perSecond: result['2xx'] / result.duration, failed: result.non2xx + result.errors, next }))
