import Database from 'better-sqlite3'

/** A process of its own that holds the write lock of a database until it is told to let go. */
const database = new Database(process.argv[2], { timeout: 5_000 })
database.exec('BEGIN IMMEDIATE')
database.exec(`INSERT INTO notes (text) VALUES ('theirs')`)
process.once('message', () => {
  database.exec('COMMIT')
  database.close()
  process.disconnect()
})
process.send?.('locked')
