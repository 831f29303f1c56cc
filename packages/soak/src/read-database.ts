import { DatabaseSync } from 'node:sqlite'

/** Prints what is stored as JSON: `node read-database.ts DATABASE`. */
const database = new DatabaseSync(process.argv[2] ?? '')
const [integrity] = database.prepare('PRAGMA integrity_check').all()
const state = {
  integrity: integrity?.integrity_check,
  orphans: database.prepare('PRAGMA foreign_key_check').all().length,
  counters: database.prepare('SELECT id, name, value FROM counters ORDER BY id').all(),
  entries: database
    .prepare("SELECT record_id, operation, before, after FROM strongroom_audit_log WHERE component = 'counters' ORDER BY id")
    .all(),
}
database.close()
process.stdout.write(JSON.stringify(state))
