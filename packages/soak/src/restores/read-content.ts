import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'

/** Prints what is stored as JSON, read by nothing of ours: `node read-content.ts FILE`, or `node read-content.ts URL SCHEMA`. */
const [, , place = '', schema = ''] = process.argv

type Row = Readonly<Record<string, unknown>>
interface Reader {
  rows(sql: string): AsyncIterable<Row> | Iterable<Row>
  faults(): Promise<string[]>
  close(): Promise<void>
}

function fileReader(path: string): Reader {
  const database = new DatabaseSync(path)
  return {
    rows: (sql) => database.prepare(sql).iterate() as Iterable<Row>,
    faults: async () => [
      ...database
        .prepare('PRAGMA integrity_check')
        .all()
        .map((row) => String(row['integrity_check']))
        .filter((text) => text !== 'ok'),
      ...database
        .prepare('PRAGMA foreign_key_check')
        .all()
        .map((row) => `an orphan in ${row['table']}`),
    ],
    close: async () => database.close(),
  }
}

async function schemaReader(url: string): Promise<Reader> {
  const client = new pg.Client(url)
  await client.connect()
  // What follows sees one moment, and no restore in its middle.
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
  if (schema !== '') await client.query(`SET LOCAL search_path TO ${schema}`)
  await client.query('LOCK TABLE things, notes, strongroom_audit_log, strongroom_audit_head IN ACCESS SHARE MODE')
  return {
    rows: async function* (sql) {
      yield* (await client.query<Row>(sql)).rows
    },
    faults: async () => [],
    close: () => client.end(),
  }
}

const reader = place.startsWith('postgres') ? await schemaReader(place) : fileReader(place)
const names = async (sql: string): Promise<string[]> => {
  const found: string[] = []
  for await (const row of reader.rows(sql)) found.push(String(row['name']))
  return found
}
const hash = createHash('sha256')
let things = 0
for await (const row of reader.rows('SELECT id, name, padding FROM things ORDER BY id')) {
  things++
  hash.update(`${row['id']}|${row['name']}|${row['padding']}\n`)
}
const content = {
  faults: await reader.faults(),
  things,
  hash: hash.digest('hex'),
  notes: await names('SELECT name FROM notes ORDER BY id'),
  noteEntries: await names(`SELECT n.name AS name FROM notes n JOIN strongroom_audit_log l ON l.component = 'notes'
    AND l.record_id = CAST(n.id AS text) AND l.operation = 'create' ORDER BY n.id`),
  entries: (await names('SELECT count(*) AS name FROM strongroom_audit_log')).map(Number)[0],
  restores: await names(`SELECT request_id AS name FROM strongroom_audit_log WHERE operation = 'restore_database' ORDER BY id`),
  oldEpochs: (
    await names(`SELECT count(*) AS name FROM strongroom_audit_log WHERE epoch <> (SELECT epoch FROM strongroom_audit_head)
      AND id > (SELECT max(id) FROM strongroom_audit_log WHERE operation = 'restore_database')`)
  ).map(Number)[0],
  epoch: (await names('SELECT epoch AS name FROM strongroom_audit_head')).map(Number)[0],
}
await reader.close()
process.stdout.write(JSON.stringify(content))
