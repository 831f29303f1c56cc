import { isDeepStrictEqual } from 'node:util'
import { type AnyModel, type ModelAccessor, type Principal, parseId, type WriteOptions } from '@strongroom/core'
import type { PasswordHasher } from '../passwords/password-hasher.ts'
import { checkNewPassword } from '../passwords/password-rules.ts'
import { Together } from '../together.ts'
import { type UserFields, userFields } from './user-fields.ts'

/** A user as authentication knows it, whatever the model. */
export interface KnownUser {
  readonly id: number | string
  readonly email: string
  readonly passwordHash: string | null
  readonly disabled: boolean
  /** Goes up when the password changes or the user is suspended: what was given out before is worth nothing then. */
  readonly credentialsVersion: number
  /** Who the user is to the rules of access. One object as long as the record stays the same. */
  readonly principal: Principal
}

type Row = Readonly<Record<string, unknown>>

/** Users whose principal is remembered. */
const mostRemembered = 1_000
const own = { access: 'system' } as const

/** E-mail addresses are compared without regard to case. */
export function foldEmail(email: string): string {
  return email.trim().normalize('NFC').toLowerCase()
}

/** Reads users, and keeps the rules of their records on every path that writes them. */
export class UserDirectory {
  readonly accessor: ModelAccessor<AnyModel>
  readonly fields: UserFields
  readonly #hasher: PasswordHasher
  readonly #minLength: number
  /** Hashes that are stored anew with other parameters: the password stays the same. */
  readonly #upgrades = new Set<string>()
  /** Users whose sessions are being ended. */
  readonly #ending = new Set<unknown>()
  readonly #questions = new Together<number | string, KnownUser>((ids) => this.#find(ids))
  readonly #known = new Map<number | string, KnownUser>()

  constructor(accessor: ModelAccessor<AnyModel>, hasher: PasswordHasher, minLength: number) {
    this.accessor = accessor
    this.fields = userFields(accessor.model)
    this.#hasher = hasher
    this.#minLength = minLength
    accessor.beforeInsert(({ record }) => this.#beforeWrite(fieldsOf(record), undefined))
    accessor.beforeUpdate(({ record, previous }) => this.#beforeWrite(fieldsOf(record), fieldsOf(previous ?? {})))
    // Who was deleted and comes back signs in again.
    accessor.afterRestore(({ record, actor }) => this.endSessions(idIn(record, accessor.model), { actor }))
  }

  /** The user of an id, or undefined; deleted ones are not there. */
  async byId(id: number | string): Promise<KnownUser | undefined> {
    return (await this.#questions.ask([id])).get(id)
  }

  /** The user that a token's subject names. */
  async bySubject(subject: string): Promise<KnownUser | undefined> {
    const id = parseId(this.accessor.model, subject)
    return typeof id === 'number' || typeof id === 'string' ? this.byId(id) : undefined
  }

  async byEmail(email: string): Promise<KnownUser | undefined> {
    return this.#read(await this.accessor.findOne({ where: { [this.fields.email]: foldEmail(email) }, ...own }))
  }

  /** Stores another hash of the same password. */
  async upgradeHash(user: KnownUser, password: string): Promise<void> {
    const hash = await this.#hasher.hash(password)
    this.#upgrades.add(hash)
    try {
      await this.accessor.update(user.id, { [this.fields.password]: hash }, { actor: user.email, ...own })
    } finally {
      this.#upgrades.delete(hash)
    }
  }

  /** Gives a user another password, which ends all sessions. Throws ValidationError for one that is too weak. */
  async changePassword(user: KnownUser, password: string, path: string, requestId: string): Promise<void> {
    checkNewPassword(password, { path, minLength: this.#minLength, email: user.email })
    const hash = await this.#hasher.hash(password)
    await this.accessor.update(user.id, { [this.fields.password]: hash }, { actor: user.email, requestId, ...own })
  }

  /** Ends all sessions of a user. */
  async endSessions(id: number | string, options: WriteOptions): Promise<void> {
    this.#ending.add(id)
    try {
      // The hook raises the version, which alone would be no change.
      await this.accessor.update(id, (user) => ({ [this.fields.credentialsVersion]: versionIn(user, this.fields) + 1 }), {
        ...options,
        ...own,
      })
    } finally {
      this.#ending.delete(id)
    }
  }

  /** Hooks change the record in place; only a password makes the write wait. */
  #beforeWrite(record: Record<string, unknown>, previous: Row | undefined): Promise<void> | undefined {
    const { email, password, disabled, credentialsVersion } = this.fields
    if (typeof record[email] === 'string') record[email] = foldEmail(record[email])
    const given = record[password]
    const isNew = given !== previous?.[password] && !(typeof given === 'string' && this.#upgrades.has(given))
    if (previous) {
      const isSuspended = record[disabled] === true && previous[disabled] !== true
      const ends = isNew || isSuspended || this.#ending.has(previous[this.accessor.model.id.name])
      // It only ever goes up, whatever the record was replaced or reverted to: an older one would bring old sessions back.
      record[credentialsVersion] = Number(previous[credentialsVersion]) + (ends ? 1 : 0)
    }
    if (!isNew || typeof given !== 'string' || this.#hasher.isHash(given)) return undefined
    checkNewPassword(given, { path: password, minLength: this.#minLength, email: String(record[email]) })
    return this.#hasher.hash(given).then((hash) => {
      record[password] = hash
    })
  }

  async #find(ids: readonly (number | string)[]): Promise<ReadonlyMap<number | string, KnownUser>> {
    const [only] = ids
    const { name } = this.accessor.model.id
    const found =
      ids.length === 1 && only !== undefined
        ? [await this.accessor.get(only, own)]
        : await this.accessor.find({ where: { [name]: { in: [...ids] } }, ...own })
    const users = found.flatMap((row) => this.#read(row) ?? [])
    return new Map(users.map((user) => [user.id, user]))
  }

  /** A user who is as before keeps the principal: what the rules of access answer is remembered by it. */
  #read(row: object | null): KnownUser | undefined {
    if (!row) return undefined
    const user = this.#interpret(fieldsOf(row))
    const known = this.#known.get(user.id)
    if (known && isDeepStrictEqual(known, user)) return known
    if (this.#known.size >= mostRemembered) this.#known.clear()
    this.#known.set(user.id, user)
    return user
  }

  #interpret(row: Row): KnownUser {
    const id = idIn(row, this.accessor.model)
    const { email, password, disabled, credentialsVersion, roles, tenant } = this.fields
    const given = row[roles.name]
    const list: readonly unknown[] = Array.isArray(given) ? given : [given]
    const ownTenant = tenant === undefined ? null : (row[tenant] ?? null)
    const address = String(row[email])
    return {
      id,
      email: address,
      passwordHash: typeof row[password] === 'string' ? row[password] : null,
      disabled: row[disabled] !== false,
      credentialsVersion: Number(row[credentialsVersion]),
      principal: Object.freeze({
        id,
        name: address,
        roles: Object.freeze(list.filter((role) => typeof role === 'string')),
        tenant: ownTenant === null ? null : String(ownTenant),
      }),
    }
  }
}

/** Records of whatever model are plain objects. */
function fieldsOf(record: object): Record<string, unknown> {
  return record as Record<string, unknown>
}

function versionIn(record: object, { credentialsVersion }: UserFields): number {
  return Number(fieldsOf(record)[credentialsVersion])
}

function idIn(record: object, { id }: AnyModel): number | string {
  // Ids are numbers or text.
  return fieldsOf(record)[id.name] as number | string
}
