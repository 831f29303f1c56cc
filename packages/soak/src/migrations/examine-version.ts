import { DatabaseSync } from 'node:sqlite'
import { openMigrator, openStorage } from '@strongroom/core'
import { fileOf } from './prepare.ts'
import { accessorsOf, last, migrations, recordOf, versions } from './versions.ts'

/** In which version a database stands; every fault that it has is added to the list. */
export async function versionOf(url: string, rows: number, faults: string[]): Promise<number> {
  const fitting: number[] = []
  let applied: readonly { readonly kind: string }[] = []
  for (const version of versions.keys()) {
    const migrator = await openMigrator({ url, accessors: accessorsOf(version), migrations })
    const { differences, leftovers } = await migrator.diff()
    applied = (await migrator.status()).applied
    await migrator.close()
    if (differences.length === 0 && leftovers.length === 0) fitting.push(version)
  }
  const [version, ...more] = fitting
  if (version === undefined || more.length > 0) {
    faults.push(`the tables are of ${fitting.length} versions: ${fitting.join(', ')}`)
    return -1
  }
  const kinds = applied.map(({ kind }) => kind).join()
  const expected = [
    ...migrations.slice(0, Math.min(version, migrations.length)).map(() => 'migration'),
    ...(version === last ? ['automatic'] : []),
  ]
  if (kinds !== expected.join()) faults.push(`version ${version} has the records ${kinds || 'of none'}`)
  examineFile(url, faults)
  await examineContent(url, { version, rows, entries: expected.length }, faults)
  return version
}

/** Records that are looked at one by one; of more of them the sums, and some. */
const mostRead = 1_000

async function examineContent(
  url: string,
  { version, rows, entries }: { readonly version: number; readonly rows: number; readonly entries: number },
  faults: string[],
): Promise<void> {
  const accessors = accessorsOf(version)
  const storage = await openStorage({ url, accessors, createTables: false, readTimeLimit: 600_000 })
  try {
    const [things] = accessors
    if (!things) return
    const count = await things.count()
    if (count !== rows) faults.push(`version ${version} has ${count} records of ${rows}`)
    const step = Math.max(1, Math.floor(rows / mostRead))
    for (let number = 1; number <= rows; number += step) {
      const found = JSON.stringify(await things.get(number))
      const expected = JSON.stringify(recordOf(number, version))
      if (found !== expected) faults.push(`version ${version} has ${found} where ${expected} was expected`)
    }
    const told = await storage.audit.count({ component: 'strongroom_migrations' })
    if (told !== entries) faults.push(`version ${version} has ${told} entries in the log, of ${entries}`)
  } finally {
    await storage.close()
  }
}

function examineFile(url: string, faults: string[]): void {
  const file = fileOf(url)
  if (file === undefined) return
  const database = new DatabaseSync(file, { readOnly: true })
  const answers = ['integrity_check', 'foreign_key_check'].map((check) => JSON.stringify(database.prepare(`PRAGMA ${check}`).all()))
  database.close()
  if (answers.join() !== '[{"integrity_check":"ok"}],[]') faults.push(`the file is damaged: ${answers.join().slice(0, 200)}`)
}
