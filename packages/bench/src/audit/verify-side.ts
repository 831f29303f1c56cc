import { defineModel, ModelAccessor, openStorage, StorageBusyError } from '@strongroom/core'
import { Type } from 'typebox'
import type { VerifyRates } from './verify-bench.ts'

const [, , url = '', wanted = '0', rounds = '0'] = process.argv
const entries = Number(wanted)

const User = defineModel('users', { name: Type.String({ maxLength: 200 }), email: Type.String(), age: Type.Integer() })
const users = new ModelAccessor(User, 'users')
const storage = await openStorage({ url, accessors: [users], transactionTimeLimit: 600_000 })

/** Records that are written together. */
const batch = 10_000

for (let at = 0; at < entries; at += batch) {
  await users.insertMany(
    Array.from({ length: Math.min(batch, entries - at) }, (_, index) => ({
      name: `User ${at + index}`,
      email: `user${at + index}@example.com`,
      age: index % 90,
    })),
  )
}
await sealed()

const found: { readonly perSecond: number; readonly perProcessorSecond: number }[] = []
for (let round = 0; round <= Number(rounds); round++) {
  const start = performance.now()
  const before = process.cpuUsage()
  const { ok, entries: seen, fault } = await storage.audit.verify()
  if (!ok || seen !== entries) throw new Error(`The log has a fault: ${fault?.detail ?? `${seen} entries`}`)
  const { user, system } = process.cpuUsage(before)
  // The first one reads what nobody has read yet.
  if (round > 0) found.push({ perSecond: (seen / (performance.now() - start)) * 1000, perProcessorSecond: (seen / (user + system)) * 1e6 })
}
await storage.close()
const rates: VerifyRates = found
process.send?.(rates)
process.disconnect?.()

/** So many entries at once are sealed for longer than a caller is let wait. */
async function sealed(): Promise<void> {
  for (;;) {
    try {
      return await storage.audit.waitUntilSealed()
    } catch (error) {
      if (!(error instanceof StorageBusyError)) throw error
    }
  }
}
