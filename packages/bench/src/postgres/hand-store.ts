import { createHash, randomBytes } from 'node:crypto'
import pg from 'pg'
import type { HandUser, NewHandUser } from '../beside-hand/hand-store.ts'

const begin = 'BEGIN'
const commit = 'COMMIT'
const fields = 'id, name, email, age, created_at, deleted_at'
const getUser = { name: 'get-user', text: `SELECT ${fields} FROM users WHERE id = $1 AND deleted_at IS NULL` }
const pageUsers = { name: 'page-users', text: `SELECT ${fields} FROM users WHERE id > $2 AND deleted_at IS NULL ORDER BY id LIMIT $1` }
const listUsers = { name: 'list-users', text: `SELECT ${fields} FROM users WHERE deleted_at IS NULL ORDER BY id LIMIT $1 OFFSET $2` }
const insertUser = {
  name: 'insert-user',
  text: `INSERT INTO users (name, email, age, created_at, row_version) VALUES ($1, $2, $3, $4, $5) RETURNING ${fields}`,
}
const lockUser = { name: 'lock-user', text: `${getUser.text} FOR UPDATE` }
const updateUser = {
  name: 'update-user',
  text: `UPDATE users SET name = $2, email = $3, age = $4, row_version = $5 WHERE id = $1 RETURNING ${fields}`,
}
const markUser = { name: 'mark-user', text: `UPDATE users SET deleted_at = $2, row_version = $3 WHERE id = $1 RETURNING ${fields}` }
const insertEntry = {
  name: 'insert-entry',
  text: `INSERT INTO strongroom_audit_log (timestamp, component, record_id, operation, actor, before, after, transaction_id, schema_version,
      epoch, payload_hash, salt, row_version)
    VALUES ($1, 'users', $2, $3, $4, $5, $6, $7, 1, 1, $8, $9, $10)`,
}

/** 64-bit integers, which users' ids and ages are, and which node-postgres gives as text unless it is told (pg_type.dat). */
const int8 = 20
/** Text of an instant is what a request is answered with: `2026-01-31 12:00:00+00` as JSON has it. */
const timestamptz = 1184
const parsers = new Map<number, (text: string) => unknown>([
  [int8, Number],
  [timestamptz, (text) => new Date(text).toISOString()],
])
const types: pg.CustomTypesConfig = {
  // What is not in there is left to node-postgres.
  getTypeParser: ((oid: number, format: 'text' | 'binary') => parsers.get(oid) ?? pg.types.getTypeParser(oid, format as 'text')) as never,
}

/**
 * A store on the same tables, with the same entries, written by hand on node-postgres: BEGIN, the statements, COMMIT, one after the other,
 * each prepared by name.
 */
export class HandPostgresStore {
  readonly #pool: pg.Pool

  constructor(url: string, connections: number) {
    this.#pool = new pg.Pool({ connectionString: url, max: connections, types })
  }

  async get(id: number): Promise<HandUser | undefined> {
    const { rows } = await this.#pool.query<HandUser>({ ...getUser, values: [id] })
    return rows[0]
  }

  async list(limit: number, offset: number): Promise<HandUser[]> {
    const { rows } = await this.#pool.query<HandUser>({ ...listUsers, values: [limit, offset] })
    return rows
  }

  async page(limit: number, after: number): Promise<HandUser[]> {
    const { rows } = await this.#pool.query<HandUser>({ ...pageUsers, values: [limit, after] })
    return rows
  }

  insert({ name, email, age }: NewHandUser, actor: string, created = new Date().toISOString()): Promise<HandUser> {
    return this.#transaction(async (client) => {
      const user = await one(client, { ...insertUser, values: [name, email, age, created, token()] })
      if (!user) throw new Error('an insert answers what it has inserted')
      await tell(client, actor, 'create', null, user)
      return user
    })
  }

  update(id: number, patch: Partial<NewHandUser>, actor: string): Promise<HandUser | undefined> {
    return this.#transaction(async (client) => {
      const before = await one(client, { ...lockUser, values: [id] })
      if (!before) return undefined
      const { name, email, age } = { ...before, ...patch }
      const after = await one(client, { ...updateUser, values: [id, name, email, age, token()] })
      await tell(client, actor, 'update', before, after ?? null)
      return after
    })
  }

  delete(id: number, actor: string): Promise<HandUser | undefined> {
    return this.#transaction(async (client) => {
      const before = await one(client, { ...lockUser, values: [id] })
      if (!before) return undefined
      const after = await one(client, { ...markUser, values: [id, new Date(), token()] })
      await tell(client, actor, 'soft_delete', before, after ?? null)
      return after
    })
  }

  close(): Promise<void> {
    return this.#pool.end()
  }

  async #transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    try {
      await client.query(begin)
      const result = await work(client)
      await client.query(commit)
      return result
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    } finally {
      client.release()
    }
  }
}

async function one(client: pg.PoolClient, query: pg.QueryConfig): Promise<HandUser | undefined> {
  const { rows } = await client.query<HandUser>(query)
  return rows[0]
}

async function tell(
  client: pg.PoolClient,
  actor: string,
  operation: string,
  before: HandUser | null,
  after: HandUser | null,
): Promise<void> {
  const [was, is] = [before, after].map((image) => image && JSON.stringify(sorted(image)))
  const salt = randomBytes(16)
  const hash = createHash('sha256').update(salt).update(`{"after":${is},"before":${was}}`).digest()
  const id = String((after ?? before)?.id)
  await client.query({ ...insertEntry, values: [new Date(), id, operation, actor, was, is, token(), hash, salt, token()] })
}

/** As an entry has it (RFC 8785). */
function sorted({ age, created_at, deleted_at, email, id, name }: HandUser): HandUser {
  return { age, created_at, deleted_at, email, id, name }
}

const token = (): string => randomBytes(12).toString('base64url')
