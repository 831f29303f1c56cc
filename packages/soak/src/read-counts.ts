import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'

/** Prints what is stored as JSON, read by nothing of ours: `node read-counts.ts URL`. */
const questions = {
  counters: 'SELECT id, name, value FROM counters ORDER BY id',
  increments: 'SELECT id, key FROM increments ORDER BY id',
  entries: 'SELECT component, record_id, operation, before, after FROM strongroom_audit_log ORDER BY id',
}

type Reader = (sql: string) => unknown[] | Promise<unknown[]>

async function readWith(read: Reader): Promise<void> {
  const state: Record<string, unknown[]> = {}
  for (const [name, sql] of Object.entries(questions)) state[name] = await read(sql)
  process.stdout.write(JSON.stringify(state))
}

const url = process.argv[2] ?? ''
if (url.startsWith('sqlite:')) {
  const database = new DatabaseSync(url.slice('sqlite:'.length))
  await readWith((sql) => database.prepare(sql).all())
  database.close()
} else {
  const client = new pg.Client(url)
  await client.connect()
  // integers of 64 bits are text to node-postgres, unless it is told
  client.setTypeParser(pg.types.builtins.INT8, Number)
  await readWith(async (sql) => (await client.query(sql)).rows)
  await client.end()
}
