import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'

/** Prints the log as JSON, position and id of each entry, read by nothing of ours: `node read-log.ts URL`. */
const sql = 'SELECT seq AS position, id FROM strongroom_audit_log WHERE seq IS NOT NULL ORDER BY seq'

async function readLog(url: string): Promise<unknown[]> {
  if (url.startsWith('sqlite:')) {
    const database = new DatabaseSync(url.slice('sqlite:'.length))
    const rows = database.prepare(sql).all()
    database.close()
    return rows
  }
  const client = new pg.Client(url)
  await client.connect()
  // integers of 64 bits are text to node-postgres, unless it is told
  client.setTypeParser(pg.types.builtins.INT8, Number)
  const { rows } = await client.query(sql)
  await client.end()
  return rows
}

process.stdout.write(JSON.stringify(await readLog(process.argv[2] ?? '')))
