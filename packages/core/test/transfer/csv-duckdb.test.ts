import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { describeEngines, tempFolder } from '@strongroom/testkit'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { exportHostileThings } from './hostile-things.ts'

let connection: DuckDBConnection
beforeAll(async () => {
  const instance = await DuckDBInstance.create(':memory:', { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' })
  connection = await instance.connect()
  return () => {
    connection.closeSync()
    instance.closeSync()
  }
})

/** All cells as they stand in the file. In hexadecimal, since the driver takes a byte order mark out of what it answers. */
async function cellsBy(options: string, path: string, columns: number): Promise<(string | null)[][]> {
  const reader = await connection.runAndReadAll(`SELECT hex(encode(COLUMNS(*))) FROM read_csv('${path}', ${options})`)
  expect(reader.columnCount).toBe(columns)
  // `hex` answers text, or null for null.
  return (reader.getRowsJS() as (string | null)[][]).map((row) =>
    row.map((cell) => (cell === null ? null : Buffer.from(cell, 'hex').toString())),
  )
}

describeEngines('DuckDB', (engine) => {
  test('reads an exported CSV to the same values, null and the empty text kept apart', async () => {
    const folder = await tempFolder('duckdb')
    onTestFinished(folder.remove)
    const { csv, cells } = await exportHostileThings(await engine.freshUrl())
    const path = join(folder.path, 'things.csv')
    await writeFile(path, csv)
    const [header = [], ...rows] = cells
    const exact = `all_varchar = true, header = true, delim = ',', quote = '"', escape = '"'`
    expect(await cellsBy(`${exact}, nullstr = '', allow_quoted_nulls = false`, path, header.length)).toEqual(rows)
    // By itself it takes the empty text for null.
    expect(await cellsBy(exact, path, header.length)).toEqual(rows.map((row) => row.map((cell) => cell || null)))
  })
})
