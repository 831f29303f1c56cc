import Database from 'better-sqlite3'
import { shareCommits } from './shared-commits.ts'

export interface HandUser {
  readonly id: number
  readonly name: string
  readonly email: string
  readonly age: number
  readonly created_at: string
  readonly deleted_at: string | null
}

export interface NewHandUser {
  readonly name: string
  readonly email: string
  readonly age: number
}

export interface HandOptions {
  /** `NORMAL` loses the last commits when the power fails; `FULL` unless said. */
  readonly synchronous?: 'FULL' | 'NORMAL'
}

/** What a careful user writes by hand: prepared statements, one transaction a write, an audit row beside each record. */
export function openHandStore(path: string, { synchronous = 'FULL' }: HandOptions = {}) {
  const database = new Database(path)
  for (const pragma of ['journal_mode = WAL', `synchronous = ${synchronous}`, 'foreign_keys = ON']) database.pragma(pragma)
  database.exec(`
    CREATE TABLE IF NOT EXISTS users (
      id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, email TEXT NOT NULL, age INTEGER NOT NULL,
      created_at TEXT NOT NULL, deleted_at TEXT
    ) STRICT;
    CREATE UNIQUE INDEX IF NOT EXISTS users_email ON users (email) WHERE deleted_at IS NULL;
    CREATE TABLE IF NOT EXISTS audit (
      id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp TEXT NOT NULL, component TEXT NOT NULL, record_id TEXT, operation TEXT NOT NULL,
      actor TEXT NOT NULL, before TEXT, after TEXT, request_id TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS audit_record ON audit (component, record_id, id);
  `)
  const get = database.prepare<[number], HandUser>('SELECT * FROM users WHERE id = ? AND deleted_at IS NULL')
  const list = database.prepare<[number, number], HandUser>('SELECT * FROM users WHERE deleted_at IS NULL ORDER BY id LIMIT ? OFFSET ?')
  const page = database.prepare<[number, number], HandUser>('SELECT * FROM users WHERE id > ? AND deleted_at IS NULL ORDER BY id LIMIT ?')
  const insert = database.prepare('INSERT INTO users (name, email, age, created_at, deleted_at) VALUES (?, ?, ?, ?, NULL)')
  const update = database.prepare('UPDATE users SET name = ?, email = ?, age = ? WHERE id = ?')
  const mark = database.prepare('UPDATE users SET deleted_at = ? WHERE id = ?')
  const audit = database.prepare(
    "INSERT INTO audit (timestamp, component, record_id, operation, actor, before, after, request_id) VALUES (?, 'users', ?, ?, ?, ?, ?, ?)",
  )
  const record = (operation: string, actor: string, before: HandUser | null, after: HandUser | null): void => {
    const id = String((after ?? before)?.id)
    audit.run(new Date().toISOString(), id, operation, actor, before && JSON.stringify(before), after && JSON.stringify(after), null)
  }
  const create = (user: NewHandUser, actor: string, created_at = new Date().toISOString()): HandUser => {
    const { lastInsertRowid } = insert.run(user.name, user.email, user.age, created_at)
    const stored = { id: Number(lastInsertRowid), name: user.name, email: user.email, age: user.age, created_at, deleted_at: null }
    record('create', actor, null, stored)
    return stored
  }
  const change = (id: number, patch: Partial<NewHandUser>, actor: string): HandUser | undefined => {
    const before = get.get(id)
    if (!before) return undefined
    const after = { ...before, ...patch }
    update.run(after.name, after.email, after.age, id)
    record('update', actor, before, after)
    return after
  }
  const remove = (id: number, actor: string): HandUser | undefined => {
    const before = get.get(id)
    if (!before) return undefined
    const after = { ...before, deleted_at: new Date().toISOString() }
    mark.run(after.deleted_at, id)
    record('soft_delete', actor, before, after)
    return after
  }
  const share = shareCommits(database)
  return {
    get: (id: number) => get.get(id),
    list: (limit: number, offset: number) => list.all(limit, offset),
    page: (limit: number, after: number) => page.all(after, limit),
    insert: database.transaction(create).immediate,
    update: database.transaction(change).immediate,
    delete: database.transaction(remove).immediate,
    insertMany: database.transaction((users: readonly NewHandUser[], actor: string, at?: string) =>
      users.map((user) => create(user, actor, at)),
    ).immediate,
    /** The same writes, several to a commit. */
    shared: {
      insert: (user: NewHandUser, actor: string) => share(() => create(user, actor)),
      update: (id: number, patch: Partial<NewHandUser>, actor: string) => share(() => change(id, patch, actor)),
      delete: (id: number, actor: string) => share(() => remove(id, actor)),
    },
    close: () => database.close(),
  }
}
