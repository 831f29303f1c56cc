import { copyFile, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { openStorage } from '@strongroom/core'
import pg from 'pg'
import { accessorsOf, recordOf, versions } from './versions.ts'

/** Records that are inserted one by one, as a program would; more of them are written by the database itself. */
const mostInserted = 10_000

/** A database of the first version, which can be put back as often as it is wanted. */
export class Origin {
  readonly #url: string
  readonly #rows: number
  #copied = false

  constructor(url: string, rows: number) {
    this.#url = url
    this.#rows = rows
  }

  /** Puts it back. */
  async reset(): Promise<void> {
    const file = fileOf(this.#url)
    if (file === undefined) {
      await emptySchema(this.#url)
      await fill(this.#url, this.#rows)
      return
    }
    for (const ending of ['', '-wal', '-shm']) await rm(`${file}${ending}`, { force: true })
    if (this.#copied) {
      await copyFile(`${file}.origin`, file)
      return
    }
    await fill(this.#url, this.#rows)
    await copyFile(file, `${file}.origin`)
    this.#copied = true
  }
}

/** The file of a SQLite database. */
export function fileOf(url: string): string | undefined {
  return /^sqlite:(.*)$/.exec(url)?.[1]
}

async function emptySchema(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ schema: string }>('SELECT current_schema() AS schema')
    const [row] = rows
    await client.query(`SET client_min_messages = warning; DROP SCHEMA "${row?.schema}" CASCADE; CREATE SCHEMA "${row?.schema}"`)
  })
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

async function fill(url: string, rows: number): Promise<void> {
  const accessors = accessorsOf(0)
  const storage = await openStorage({ url, accessors, transactionTimeLimit: 600_000 })
  try {
    const [things, teams] = accessors
    const numbers = Array.from({ length: Math.min(rows, mostInserted) }, (_, index) => index + 1)
    // The records are those of the first version.
    await teams?.insertMany([{ name: 'one' }, { name: 'two' }] as never[])
    await things?.insertMany(numbers.map((number) => recordOf(number, 0)) as never[])
  } finally {
    await storage.close()
  }
  if (rows > mostInserted) await fillMore(url, rows)
}

/** Past the accessors, and their log: that takes seconds where they take minutes. */
async function fillMore(url: string, rows: number): Promise<void> {
  const table = versions[0]?.name
  const insert = `INSERT INTO "${table}" (id, code, amount, team_id, row_version)
    SELECT n, 'c' || n, CAST(n AS TEXT), n % 2 + 1, 'v' || n FROM series`
  const file = fileOf(url)
  if (file !== undefined) {
    const database = new DatabaseSync(file)
    const series = `WITH RECURSIVE series(n) AS (SELECT ${mostInserted + 1} UNION ALL SELECT n + 1 FROM series WHERE n < ${rows})`
    database.exec(`${series} ${insert}`)
    database.close()
    return
  }
  await withClient(url, async (client) => {
    await client.query(`WITH series AS (SELECT generate_series(${mostInserted + 1}, ${rows})::bigint AS n) ${insert}`)
  })
}
