import { type AnyModel, type ModelAccessor, openStorage, type Storage } from '@strongroom/core'

/**
 * Makes a database of the quickstart's data, enlarged until it has so many rows, records and entries of the log together:
 * `node build.ts URL ROWS`. It prints how many there are.
 */
const [, , url = '', wanted = ''] = process.argv

// The example is no package that another one could depend on.
const example = (name: string): Promise<Record<string, unknown>> =>
  import(new URL(`../../../../examples/quickstart/src/${name}.ts`, import.meta.url).href)
// The example's own words.
const { countries, regions, navaids } = (await example('models')) as Record<string, ModelAccessor<AnyModel>>
const { loadFiles } = (await example('load')) as { loadFiles(storage: Storage, print: () => void): Promise<void> }

const storage = await openStorage({
  url,
  accessors: [countries, regions, navaids] as ModelAccessor<AnyModel>[],
  transactionTimeLimit: 120_000,
})
await loadFiles(storage as Storage, () => undefined)
// Fields of the example's model, as they come.
const all = (await navaids?.all()) as Record<string, unknown>[]
const own = new Set(['id', 'created_at', 'updated_at', 'created_by', 'updated_by', 'deleted_at'])
const copies = all.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !own.has(name))))
const rowsNow = async (): Promise<number> =>
  (await storage.audit.count({})) +
  (await Promise.all([countries, regions, navaids].map((accessor) => accessor?.count() ?? 0))).reduce((sum, count) => sum + count, 0)
let rows = await rowsNow()
while (rows < Number(wanted)) {
  const some = copies.slice(0, Math.ceil((Number(wanted) - rows) / 2))
  await navaids?.insertMany(some as never[], { actor: 'campaign' })
  rows += some.length * 2
}
process.stdout.write(`${await rowsNow()}\n`)
await storage.close()
