import { openSqliteEngine } from '../../src/engine/sqlite/open.ts'

/** A program that opens a database in memory, tells where it really is, and ends without closing it. */
const engine = await openSqliteEngine({ path: ':memory:' })
const [row] = await engine.read((connection) => connection.all({ sql: 'PRAGMA database_list', parameters: [] }))
process.send?.(row?.file, () => process.exit())
