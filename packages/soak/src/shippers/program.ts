import { appendFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { Shipper } from '@strongroom/client/shipper'

/**
 * A program that ships the runs `from` to `to`, and writes down which it has begun and which were taken: `program.ts url key folder ledger from to
 * pace`, with so many milliseconds between ten runs.
 */
const [url = '', apiKey = '', folder = '', ledger = '', from = '', to = '', pace = '0'] = process.argv.slice(2)

const shipper = new Shipper({ url, apiKey, folder, batchSize: 100, interval: 50, timeout: 5000, backoff: [50, 500] })
for (let run = Number(from); run < Number(to); run++) {
  appendFileSync(ledger, `begun ${run}\n`)
  shipper.ship({ ticket_id: String(run), workflow: 'campaign', category: 'soak', metrics: { run } })
  appendFileSync(ledger, `taken ${run}\n`)
  if (run % 10 === 9) await pause(Number(pace))
}
const arrived = await shipper.close(120_000)
appendFileSync(ledger, arrived ? 'arrived\n' : 'left\n')
