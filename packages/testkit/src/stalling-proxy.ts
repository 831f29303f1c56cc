import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to a PostgreSQL server that can hang, as a server does that is frozen or behind a cut line: nothing is answered, nothing is closed. */
export interface StallingProxy {
  /** The server's URL, by way of the proxy. */
  readonly url: string
  stall(): void
  /** Passes on what has waited, and what comes. */
  goOn(): void
  close(): Promise<void>
}

/**
 * Puts a proxy before a server.
 *
 * @example
 * const proxy = await stallingProxy(await engine.freshUrl())
 * proxy.stall()
 */
export async function stallingProxy(url: string): Promise<StallingProxy> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let stalled = false
  const pass = (from: Socket, to: Socket): void => {
    sockets.add(from)
    if (stalled) from.pause()
    from.on('data', (bytes) => void to.write(bytes))
    from.on('error', () => to.destroy())
    from.once('close', () => {
      sockets.delete(from)
      to.end()
    })
  }
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    pass(client, upstream)
    pass(upstream, client)
    // Listening for bytes sets a socket flowing.
    if (stalled) for (const socket of [client, upstream]) socket.pause()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxied = new URL(url)
  proxied.hostname = '127.0.0.1'
  // A listening server has an address with a port.
  proxied.port = String((server.address() as AddressInfo).port)
  return {
    // node-postgres reads the options with decodeURIComponent, to which a plus sign is a plus sign
    url: proxied.href.replaceAll('+', '%20'),
    stall: () => {
      stalled = true
      for (const socket of sockets) socket.pause()
    },
    goOn: () => {
      stalled = false
      for (const socket of sockets) socket.resume()
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
