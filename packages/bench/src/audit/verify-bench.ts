import { join } from 'node:path'
import { defineModel, ModelAccessor, openStorage } from '@strongroom/core'
import { Type } from 'typebox'
import { onPostgres } from '../on-postgres.ts'
import { type Judged, judge } from './judge.ts'

const User = defineModel('users', { name: Type.String({ maxLength: 200 }), email: Type.String(), age: Type.Integer() })

export interface VerifyOptions {
  readonly rounds: number
  readonly entries: number
  readonly report: (line: string) => void
}

/** How many entries a verification goes through in a second. */
export async function verifyBench(folder: string, options: VerifyOptions): Promise<readonly Judged[]> {
  const sqlite = await measure('SQLite', `sqlite:${join(folder, 'verify.db')}`, options)
  return [...sqlite, ...(await onPostgres('verify', (url) => measure('PostgreSQL', url, options)))]
}

async function measure(engine: string, url: string, { rounds, entries, report }: VerifyOptions): Promise<readonly Judged[]> {
  const users = new ModelAccessor(User, 'users')
  const storage = await openStorage({ url, accessors: [users], transactionTimeLimit: 600_000 })
  try {
    const batch = 10_000
    for (let at = 0; at < entries; at += batch) {
      await users.insertMany(
        Array.from({ length: batch }, (_, index) => ({
          name: `User ${at + index}`,
          email: `user${at + index}@example.com`,
          age: index % 90,
        })),
      )
    }
    await storage.audit.waitUntilSealed()
    const rates: number[] = []
    const processorRates: number[] = []
    for (let round = 0; round <= rounds; round++) {
      const start = performance.now()
      const before = process.cpuUsage()
      const { ok, entries: seen, fault } = await storage.audit.verify()
      if (!ok || seen !== entries) throw new Error(`The log has a fault: ${fault?.detail ?? `${seen} entries`}`)
      // The first one reads what nobody has read yet.
      if (round === 0) continue
      rates.push((seen / (performance.now() - start)) * 1000)
      const { user, system } = process.cpuUsage(before)
      processorRates.push((seen / (user + system)) * 1e6)
    }
    const goal = { goal: 100_000, goalIs: 'least' } as const
    const judged = [
      judge({ what: `entries that a verification goes through in a second on ${engine}, its start included`, ...goal, values: rates }),
      judge({ what: `the same in a second of this program's processor time, ${engine}`, ...goal, values: processorRates }),
    ]
    for (const { line } of judged) report(line)
    return judged
  } finally {
    await storage.close()
  }
}
