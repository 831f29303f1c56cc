import { setTimeout as pause } from 'node:timers/promises'
import { defineModel, ModelAccessor, openStorage } from '@strongroom/core'
import pg from 'pg'
import { Type } from 'typebox'
import { onPostgres } from '../on-postgres.ts'
import { type Judged, judge } from './judge.ts'

const User = defineModel('users', { name: Type.String({ maxLength: 200 }), email: Type.String(), age: Type.Integer() })

const clients = 16
/** Milliseconds that the hook of each write takes. */
const hookTime = 10
/** Milliseconds of one side of a pair. */
const window = 2_000
/** Milliseconds between two looks at the lag. */
const look = 50

export interface SealOptions {
  readonly pairs: number
  readonly report: (line: string) => void
}

export interface SealFound {
  readonly results: readonly Judged[]
  readonly faults: readonly string[]
  readonly entries: number
}

/** What sealing costs on PostgreSQL: 16 clients whose writes have a hook that waits, with a sealer and with one that cannot get at the head. */
export function sealBench({ pairs, report }: SealOptions): Promise<SealFound> {
  return onPostgres('seals', async (url) => {
    const users = new ModelAccessor(User, 'users')
    users.beforeInsert(() => pause(hookTime))
    const storage = await openStorage({ url, accessors: [users], postgres: { poolSize: clients } })
    const holder = new pg.Client(url)
    await holder.connect()
    try {
      let written = 0
      const insertFor = async (): Promise<number> => {
        const start = performance.now()
        let count = 0
        await Promise.all(
          Array.from({ length: clients }, async () => {
            while (performance.now() - start < window) {
              const number = written++
              await users.insert({ name: `User ${number}`, email: `user${number}@example.com`, age: number % 90 }, { actor: 'bench' })
              count++
            }
          }),
        )
        return (count / (performance.now() - start)) * 1000
      }
      const sealed = async (): Promise<{ readonly rate: number; readonly lag: number }> => {
        let lag = 0
        const timer = setInterval(async () => {
          lag = Math.max(lag, (await storage.health()).audit.sealLag)
        }, look)
        const rate = await insertFor()
        clearInterval(timer)
        return { rate, lag }
      }
      const unsealed = async (): Promise<number> => {
        await holder.query('BEGIN; SELECT seq FROM strongroom_audit_head FOR UPDATE')
        const rate = await insertFor()
        await holder.query('ROLLBACK')
        return rate
      }
      await sealed()
      const [lost, lags, withSeals, without]: number[][] = [[], [], [], []]
      for (let pair = 0; pair < pairs; pair++) {
        let rate = 0
        let bare = 0
        let lag = 0
        const measureSealed = async (): Promise<void> => {
          await storage.audit.waitUntilSealed()
          const found = await sealed()
          rate = found.rate
          lag = found.lag
        }
        if (pair % 2 === 0) await measureSealed()
        await storage.audit.waitUntilSealed()
        bare = await unsealed()
        if (pair % 2 === 1) await measureSealed()
        lost?.push(1 - rate / bare)
        lags?.push(lag / 1000)
        withSeals?.push(rate)
        without?.push(bare)
      }
      await storage.audit.waitUntilSealed()
      const { ok, fault, entries } = await storage.audit.verify()
      const results = [
        judge({
          what: `part of the throughput on PostgreSQL that sealing costs, ${clients} clients with a hook of ${hookTime} ms`,
          goal: 0.1,
          values: lost ?? [],
          beside: { 'inserts per second with sealing': withSeals ?? [], without: without ?? [] },
        }),
        judge({
          what: 'seconds that the oldest entry without a seal waited at most, in each round',
          goal: 2,
          values: lags ?? [],
          beside: { 'worst of all': [Math.max(...(lags ?? []))] },
        }),
      ]
      for (const { line } of results) report(line)
      return {
        results,
        entries,
        faults: ok && entries === written ? [] : [`the log has a fault: ${fault?.detail ?? `${entries} entries of ${written}`}`],
      }
    } finally {
      await holder.end()
      await storage.close()
    }
  })
}
