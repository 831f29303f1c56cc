import { everyTenant, type Logger, type ModelAccessor, type Principal, type RowOf, ValidationError } from '@strongroom/core'
import { sameDigest, sha256 } from '../digest.ts'
import type { ApiKeyModel } from '../models.ts'
import { makeToken, readToken } from '../opaque-token.ts'
import { unauthorized } from '../refuse.ts'
import type { Revocations } from '../revocations/revocations.ts'
import { Together } from '../together.ts'
import type { KnownUser, UserDirectory } from '../users/user-directory.ts'
import { checkScopes } from './check-scopes.ts'

export type ApiKeyRow = RowOf<ApiKeyModel>

/** What a key is made of. */
export interface NewApiKey {
  readonly name: string
  /** What the key is narrowed to; all that its user may do where it is left out. */
  readonly scopes?: readonly string[] | undefined
  /** For a user who works for all tenants: the one that the key is for. */
  readonly tenant?: string | undefined
  readonly expiresAt?: Date | undefined
}

/** Characters of a key that are shown in lists, beside its prefix. */
const hintLength = 6
/** Milliseconds between two notes of when a key was used, an hour: each is an entry of the audit log, where nobody looks for it. */
const noteAfter = 3_600_000
/** Longest name in an audit entry, in characters. */
const longestActor = 255
const own = { access: 'system' } as const

/** Keys for programs. They act as the user who has issued them, and are over when that user is. */
export class ApiKeys {
  readonly #accessor: ModelAccessor<ApiKeyModel>
  readonly #users: UserDirectory
  readonly #prefix: string
  readonly #logger: () => Logger
  /** When the use of each key was last noted. */
  readonly #noted = new Map<string, number>()
  readonly #questions = new Together<string, ApiKeyRow>(async (ids) => {
    const rows = await this.#accessor.find({ where: { id: { in: [...ids] } }, ...own })
    return new Map(rows.map((row) => [row.id, row]))
  })
  readonly #revocations: Revocations
  readonly #principals = new WeakMap<Principal, Map<string, Principal>>()

  constructor(
    accessor: ModelAccessor<ApiKeyModel>,
    { users, revocations }: { readonly users: UserDirectory; readonly revocations: Revocations },
    prefix: string,
    logger: () => Logger,
  ) {
    this.#accessor = accessor
    this.#users = users
    this.#revocations = revocations
    this.#prefix = prefix
    this.#logger = logger
  }

  /** Whether a text has the form of a key, good or not. */
  looksLikeKey(text: string): boolean {
    return text.startsWith(`${this.#prefix}_`)
  }

  /** Makes a key. It is told this once; a hash of it is kept. */
  async issue(
    user: KnownUser,
    { name, scopes, tenant, expiresAt }: NewApiKey,
    requestId: string,
  ): Promise<{ row: ApiKeyRow; key: string }> {
    checkScopes(scopes ?? [])
    if (!isWithin(tenant ?? null, user)) throw new ValidationError([{ path: 'tenant', message: 'must be your own tenant; leave it out' }])
    if (expiresAt && expiresAt.getTime() <= Date.now())
      throw new ValidationError([{ path: 'expires_at', message: 'must be in the future' }])
    const id = crypto.randomUUID()
    const { token, secret } = makeToken(this.#prefix, id)
    const record = {
      id,
      user_id: user.id,
      name,
      hint: token.slice(0, this.#prefix.length + 1 + hintLength),
      key_hash: sha256(secret),
      scopes: scopes ? [...scopes] : null,
      tenant: tenant ?? null,
      expires_at: expiresAt ?? null,
    }
    const row = await this.#accessor.insert(record, { actor: user.email, requestId, ...own })
    return { row, key: token }
  }

  /** Who a key stands for. Throws `unauthorized` for one that is no good. */
  async authenticate(key: string): Promise<{ user: KnownUser; principal: Principal; row: ApiKeyRow }> {
    const given = readToken(this.#prefix, key)
    const row = given && (await this.#questions.ask([given.id])).get(given.id)
    if (!given || !row || !sameDigest(sha256(given.secret), row.key_hash)) throw refused()
    if (row.revoked_at !== null || (row.expires_at !== null && row.expires_at.getTime() <= Date.now())) throw refused()
    // An old backup may have brought it back.
    if (await this.#revocations.isRevoked([row.id])) throw refused()
    const user = await this.#users.byId(row.user_id)
    if (!user || user.disabled || !isWithin(row.tenant, user)) throw refused()
    return { user, principal: this.#principalOf(user, row), row }
  }

  /** The keys of a user, newest first. */
  list(user: KnownUser): Promise<ApiKeyRow[]> {
    return this.#accessor.find({ where: { user_id: user.id }, orderBy: ['-created_at'], ...own })
  }

  async get(id: string): Promise<ApiKeyRow | undefined> {
    return (await this.#accessor.get(id, own)) ?? undefined
  }

  /** Ends a key. Answers it as it is left. */
  async revoke(row: ApiKeyRow, who: { readonly actor: string; readonly requestId: string }): Promise<ApiKeyRow> {
    if (row.revoked_at !== null) return row
    await this.#revocations.revoke([row.id], row.expires_at ?? new Date(Date.now() + remembered))
    return this.#accessor.update(row.id, { revoked_at: new Date() }, { ...who, ...own })
  }

  /** One object for a user and a key as long as they stay the same: what the rules of access answer is remembered by it. */
  #principalOf({ principal }: KnownUser, { id, name, scopes, tenant }: ApiKeyRow): Principal {
    const known = this.#principals.get(principal) ?? new Map<string, Principal>()
    this.#principals.set(principal, known)
    const found = known.get(id)
    if (found) return found
    const actor = `${principal.name} (key ${name})`
    const made: Principal = Object.freeze({
      ...principal,
      name: actor.length > longestActor ? (principal.name ?? '') : actor,
      ...(scopes && { scopes: Object.freeze([...scopes]) }),
      ...(tenant !== null && { tenant }),
    })
    known.set(id, made)
    return made
  }

  /** Notes that a key was used. The request does not wait for it. */
  noteUse({ id, last_used_at }: ApiKeyRow): void {
    const now = Date.now()
    const noted = Math.max(this.#noted.get(id) ?? 0, last_used_at?.getTime() ?? 0)
    if (now - noted < noteAfter) return
    this.#noted.set(id, now)
    this.#accessor.update(id, { last_used_at: new Date(now) }, { actor: 'authentication', ...own }).catch((error: unknown) => {
      this.#noted.delete(id)
      this.#logger().error('The use of an API key could not be noted.', error)
    })
  }
}

/** Milliseconds that a key without an end is remembered as revoked, 10 years: backups are no older. */
const remembered = 315_360_000_000

/** Whether a key for one tenant is still within what its user works for. */
function isWithin(tenant: string | null, { principal }: KnownUser): boolean {
  return tenant === null || principal.tenant === everyTenant || principal.tenant === tenant
}

function refused() {
  return unauthorized('The API key is not valid, or not any more.')
}
