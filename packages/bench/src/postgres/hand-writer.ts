import { createHash, randomBytes } from 'node:crypto'
import pg from 'pg'

/** What an insert is given. */
export interface Person {
  readonly name: string
  readonly email: string
  readonly age: number
}

const begin = 'BEGIN'
const commit = 'COMMIT'
const insertUser = {
  name: 'insert-user',
  text: 'INSERT INTO users (name, email, age, row_version) VALUES ($1, $2, $3, $4) RETURNING id',
}
const lockUser = { name: 'lock-user', text: 'SELECT id, name, email, age FROM users WHERE id = $1 FOR UPDATE' }
const updateUser = { name: 'update-user', text: 'UPDATE users SET age = $2, row_version = $3 WHERE id = $1' }
const deleteUser = { name: 'delete-user', text: 'DELETE FROM users WHERE id = $1' }
const insertEntry = {
  name: 'insert-entry',
  text: `INSERT INTO strongroom_audit_log (timestamp, component, record_id, operation, actor, before, after, transaction_id, schema_version,
      epoch, payload_hash, salt, row_version)
    VALUES ($1, 'users', $2, $3, 'bench', $4, $5, $6, 1, 1, $7, $8, $9)`,
}

/**
 * A store on the same tables, with the same entries, written by hand on node-postgres: BEGIN, the statements, COMMIT, one after the other,
 * each prepared by name.
 */
export class HandWriter {
  readonly #pool: pg.Pool

  constructor(url: string, connections: number) {
    this.#pool = new pg.Pool({ connectionString: url, max: connections })
  }

  insert(person: Person): Promise<number> {
    return this.#transaction(async (client) => {
      const { name, email, age } = person
      const { rows } = await client.query({ ...insertUser, values: [name, email, age, token()] })
      const id = Number(rows[0].id)
      await tell(client, id, 'create', null, { age, email, id, name })
      return id
    })
  }

  update(id: number, age: number): Promise<void> {
    return this.#transaction(async (client) => {
      const before = await lock(client, id)
      await client.query({ ...updateUser, values: [id, age, token()] })
      await tell(client, id, 'update', before, { ...before, age })
    })
  }

  delete(id: number): Promise<void> {
    return this.#transaction(async (client) => {
      const before = await lock(client, id)
      await client.query({ ...deleteUser, values: [id] })
      await tell(client, id, 'delete', before, null)
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

async function lock(client: pg.PoolClient, id: number): Promise<Person & { readonly id: number }> {
  const { rows } = await client.query({ ...lockUser, values: [id] })
  const { age, email, name } = rows[0]
  return { age: Number(age), email, id, name }
}

async function tell(client: pg.PoolClient, id: number, operation: string, before: object | null, after: object | null): Promise<void> {
  const [was, is] = [before, after].map((image) => image && JSON.stringify(image))
  const salt = randomBytes(16)
  const hash = createHash('sha256').update(salt).update(`{"after":${is},"before":${was}}`).digest()
  await client.query({ ...insertEntry, values: [new Date(), String(id), operation, was, is, token(), hash, salt, token()] })
}

const token = (): string => randomBytes(12).toString('base64url')
