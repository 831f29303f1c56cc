import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Where a connection can be cut, and what the server has done by then. */
const places = ['inRequest', 'afterRequest', 'beforeAnswer', 'inAnswer'] as const
export type Cut = (typeof places)[number]

/** A proxy that cuts connections, by chance, at the worst moments. */
export interface CuttingProxy {
  readonly url: string
  /** How often it has cut where. */
  readonly cuts: Readonly<Record<Cut, number>>
  close(): Promise<void>
}

/** The share of requests whose connection is cut. */
const share = 0.3

/**
 * Stands between clients and the server: cuts in the middle of a request; after it, while the server is at work; when its answer is
 * there, but before a byte of it; or in the middle of it. For clients that send one request at a time over a connection.
 */
export async function startCuttingProxy(target: string, random: () => number): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target)
  const cuts: Record<Cut, number> = { inRequest: 0, afterRequest: 0, beforeAnswer: 0, inAnswer: 0 }
  const open = new Set<Socket>()
  const choose = (): Cut | undefined => (random() < share ? places[Math.floor(random() * places.length)] : undefined)
  const listener = createServer({ noDelay: true }, (client) => {
    const server = connect({ host: hostname, port: Number(port), noDelay: true })
    open.add(client)
    client.on('close', () => open.delete(client))
    tie(client, server)
    let cut: Cut | undefined
    let answered = true
    const end = (place: Cut): void => {
      cuts[place]++
      client.destroy()
      server.destroy()
    }
    const part = (chunk: Buffer): Buffer => chunk.subarray(0, Math.floor(random() * chunk.length))
    client.on('data', (chunk) => {
      if (answered) cut = choose()
      answered = false
      if (cut === 'inRequest') server.write(part(chunk), () => end('inRequest'))
      else if (cut === 'afterRequest') server.write(chunk, () => end('afterRequest'))
      else server.write(chunk)
    })
    server.on('data', (chunk) => {
      answered = true
      if (cut === 'beforeAnswer') end('beforeAnswer')
      else if (cut === 'inAnswer') client.write(part(chunk), () => end('inAnswer'))
      else client.write(chunk)
    })
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    cuts,
    close: async () => {
      for (const socket of open) socket.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
}

/** What ends one connection ends the other; that connections break is what this is for. */
function tie(one: Socket, other: Socket): void {
  for (const [socket, partner] of [
    [one, other],
    [other, one],
  ] as const) {
    socket.on('error', () => partner.destroy())
    socket.on('close', () => partner.destroy())
  }
}
