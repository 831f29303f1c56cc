import { createServer } from 'node:net'
import { Shipper } from '@strongroom/client/shipper'
import { freePort, tempFolder } from '@strongroom/testkit'

const ships = 5000

/** Milliseconds that `ship` takes: nine hundred and ninety of a thousand at most, and the longest. */
export interface ShipTime {
  readonly p99: number
  readonly longest: number
}

/** Measures `ship` while a server takes what is sent, while there is none, and while one hangs. */
export async function measureShipping(url: string, apiKey: string): Promise<Record<'up' | 'down' | 'hanging', ShipTime>> {
  const hanging = createServer(() => undefined)
  await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve))
  const address = hanging.address()
  const port = typeof address === 'object' && address ? address.port : 0
  try {
    return {
      up: await shipTime(url, apiKey),
      down: await shipTime(`http://127.0.0.1:${await freePort()}/`, apiKey),
      hanging: await shipTime(`http://127.0.0.1:${port}/`, apiKey),
    }
  } finally {
    hanging.close()
  }
}

async function shipTime(url: string, apiKey: string): Promise<ShipTime> {
  const folder = await tempFolder('shipping')
  const shipper = new Shipper({ url, apiKey, folder: folder.path, interval: 20, timeout: 200, backoff: [20, 100] })
  const times: number[] = []
  for (let run = 0; run < ships; run++) {
    const begin = performance.now()
    shipper.ship({ ticket_id: `measured-${run}`, workflow: 'measure', category: 'measured', payload: { text: 'x'.repeat(500) } })
    times.push(performance.now() - begin)
    // the sending has its turns in between
    if (run % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await shipper.close(0)
  await folder.remove()
  times.sort((a, b) => a - b)
  const rounded = (value = 0) => Math.round(value * 1000) / 1000
  return { p99: rounded(times[Math.floor(ships * 0.99)]), longest: rounded(times.at(-1)) }
}
