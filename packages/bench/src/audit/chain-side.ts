import { defineModel, ModelAccessor, openStorage } from '@strongroom/core'
import Database from 'better-sqlite3'
import { Type } from 'typebox'

const [, , file = '', synchronous = 'FULL', side = 'chained', writers = '64'] = process.argv

const User = defineModel('users', {
  name: Type.String({ maxLength: 200 }),
  email: Type.String(),
  age: Type.Integer(),
})
const users = new ModelAccessor(User, 'users')
await openStorage({
  url: `sqlite:${file}`,
  accessors: [users],
  sqlite: { synchronous: synchronous as 'FULL' | 'NORMAL' },
})
if (side !== 'chained') {
  // What the chain has brought to the tables goes, too: its triggers, and the indexes of its columns. Without positions a component's entries are listed by their ids.
  const database = new Database(file)
  const brought = side === 'bare' ? "type = 'trigger' OR name LIKE '%seq%'" : "type = 'trigger'"
  for (const { type, name } of database
    .prepare(`SELECT type, name FROM sqlite_schema WHERE tbl_name LIKE 'strongroom_audit_%' AND (${brought})`)
    .all() as { type: string; name: string }[])
    database.exec(`DROP ${type} "${name}"`)
  if (side === 'bare') database.exec('CREATE INDEX listed_by_id ON strongroom_audit_log (component, id)')
  database.close()
}

let written = 0

/** Inserts for so many milliseconds; answers records each second, and those for a second of the processor. */
async function insertFor(milliseconds: number): Promise<{ readonly perSecond: number; readonly perProcessorSecond: number }> {
  const start = performance.now()
  const before = process.cpuUsage()
  let count = 0
  await Promise.all(
    // They wait for each other's commits.
    Array.from({ length: Number(writers) }, async () => {
      while (performance.now() - start < milliseconds) {
        const number = written++
        await users.insert({ name: `User ${number}`, email: `user${number}@example.com`, age: number % 90 }, { actor: 'bench' })
        count++
      }
    }),
  )
  const { user, system } = process.cpuUsage(before)
  return { perSecond: (count / (performance.now() - start)) * 1000, perProcessorSecond: (count / (user + system)) * 1e6 }
}

process.on('message', async (milliseconds: number) => process.send?.(await insertFor(milliseconds)))
process.on('disconnect', () => process.exit())
process.send?.('ready')
