import type { ModelAccessor, UpdateOf } from '@strongroom/core'
import { NotFoundError } from '@strongroom/core'
import { randomSecret, sameDigest, sha256 } from '../digest.ts'
import type { AuthCounts } from '../figures.ts'
import type { endReasons, SessionModel } from '../models.ts'
import { type OpaqueToken, readToken, writeToken } from '../opaque-token.ts'
import { unauthorized } from '../refuse.ts'
import type { Revocations } from '../revocations/revocations.ts'
import type { KnownUser, UserDirectory } from '../users/user-directory.ts'
import { type Family, isOfFamily, makeSecret } from './family.ts'

/** A session after a sign-in or a refresh. */
export interface OpenSession {
  readonly id: string
  readonly user: KnownUser
  readonly refreshToken: string
}

export interface SessionParts {
  readonly accessor: ModelAccessor<SessionModel>
  readonly users: UserDirectory
  readonly revocations: Revocations
  readonly counts: AuthCounts
}

export interface SessionOptions {
  /** Milliseconds that a refresh token is good for. */
  readonly refreshLifetime: number
  /** Milliseconds that an access token of a session may still be about. */
  readonly accessLifetime: number
}

/** What came of a refresh token. */
type Outcome = 'renewed' | 'ended' | 'overtaken' | 'reused'
type EndReason = (typeof endReasons)[number]
type Who = { readonly actor: string; readonly requestId?: string }

/** Milliseconds that a request may wait for its turn, and for the database, while another one spends its token. */
const longestRequest = 60_000

const prefix = 'rt'
const own = { access: 'system' } as const

/**
 * Sessions, which are families of refresh tokens (RFC 9700, 4.14.2). A token is good once. One that was spent before ends its family,
 * since nobody can tell who of the two has stolen it; one that was never of the family ends nothing. Two that are at work at the same time are no
 * reuse: one wins.
 */
export class Sessions {
  readonly #accessor: ModelAccessor<SessionModel>
  readonly #users: UserDirectory
  readonly #revocations: Revocations
  readonly #counts: AuthCounts
  readonly #options: SessionOptions

  constructor({ accessor, users, revocations, counts }: SessionParts, options: SessionOptions) {
    this.#accessor = accessor
    this.#users = users
    this.#revocations = revocations
    this.#counts = counts
    this.#options = options
  }

  /** Begins a session of a user who has signed in. */
  async begin(user: KnownUser, requestId: string): Promise<OpenSession> {
    const id = crypto.randomUUID()
    const familyKey = randomSecret()
    const secret = makeSecret(familyKey)
    const record = {
      id,
      user_id: user.id,
      token_hash: sha256(secret),
      family_key: familyKey,
      expires_at: this.#expiry(),
      credentials_version: user.credentialsVersion,
    }
    await this.#accessor.insert(record, { actor: user.email, requestId, ...own })
    this.#counts.logins += 1
    return { id, user, refreshToken: writeToken(prefix, id, secret) }
  }

  /**
   * Exchanges a refresh token for the next one of its family.
   * @param receivedAt milliseconds since 1970, when the request was there as a whole
   * @throws StrongroomError `unauthorized` for a token that is no good; one that was spent before ends its session
   */
  async renew(refreshToken: string, receivedAt: number, requestId: string): Promise<OpenSession> {
    const given = readToken(prefix, refreshToken)
    const session = given && (await this.#accessor.get(given.id, own))
    const user = session && (await this.#users.byId(session.user_id))
    // Only who has a token of the family can end it, or spend one.
    if (!given || !session || !user || !isOfFamily(session, given.secret)) throw refused()
    const who = { actor: user.email, requestId }
    if (session.ended_at === null && (user.disabled || user.credentialsVersion !== session.credentials_version)) {
      await this.#end(session.id, 'credentials_changed', who)
      throw refused()
    }
    const familyKey = session.family_key ?? randomSecret()
    const next = makeSecret(familyKey)
    const outcome = await this.#exchange(given, { token_hash: sha256(next), family_key: familyKey }, receivedAt, who)
    if (outcome === 'reused') this.#counts.refreshReuse += 1
    if (outcome === 'reused' || outcome === 'ended') await this.#revokeAccess(session.id)
    if (outcome !== 'renewed') throw refused()
    this.#counts.refreshes += 1
    return { id: session.id, user, refreshToken: writeToken(prefix, session.id, next) }
  }

  /** Ends the session of a refresh token; one that means nothing is passed over (RFC 7009, 2.2). */
  async endByToken(refreshToken: string, requestId: string): Promise<void> {
    const given = readToken(prefix, refreshToken)
    const session = given && (await this.#accessor.get(given.id, own))
    if (!given || !session || !isOfFamily(session, given.secret)) return
    const user = await this.#users.byId(session.user_id)
    await this.end(session.id, { actor: user?.email ?? 'authentication', requestId })
  }

  /** Ends a session: its refresh tokens and its access tokens are refused from now on. */
  async end(id: string, who: Who): Promise<void> {
    await this.#end(id, 'signed_out', who)
  }

  /** Ends the sessions of everybody. Their access tokens are for the keys to refuse. */
  async endAll(who: Who): Promise<void> {
    await this.#accessor.updateMany({ ended_at: null }, { ended_at: new Date(), end_reason: 'ended_for_all' }, { ...who, ...own })
  }

  /** Forgets sessions that are over, a month later. */
  async sweep(): Promise<void> {
    const monthAgo = new Date(Date.now() - 30 * 86_400_000)
    await this.#accessor.deleteMany({ expires_at: { lt: monthAgo } }, { actor: 'authentication', ...own })
  }

  async #end(id: string, reason: EndReason, who: Who): Promise<void> {
    await this.#change(id, (session) => (session.ended_at === null ? { ended_at: new Date(), end_reason: reason } : {}), who)
    await this.#revokeAccess(id)
  }

  /** Spends the token where it is the newest of its family: the record is locked meanwhile, so that one of two wins. */
  async #exchange({ id, secret }: OpaqueToken, next: UpdateOf<SessionModel>, receivedAt: number, who: Who): Promise<Outcome> {
    const presented = sha256(secret)
    let outcome: Outcome = 'ended'
    let spentAt = 0
    const decide = (session: SessionRow): UpdateOf<SessionModel> => {
      const now = new Date()
      outcome = outcomeOf(session, presented, receivedAt, now)
      if (outcome === 'reused') return { ended_at: now, end_reason: 'reused' }
      if (outcome !== 'renewed') return {}
      spentAt = now.getTime()
      return { ...next, previous_hash: session.token_hash, spent_at: now, expires_at: this.#expiry() }
    }
    await this.#change(id, decide, who)
    // The answer leaves in a later millisecond, so that whoever sends the token again after it comes after `spent_at`; a clock that was set back is not waited for.
    const answered = performance.now()
    while (Date.now() <= spentAt && performance.now() - answered < 2) await new Promise((resolve) => setImmediate(resolve))
    return outcome
  }

  async #change(id: string, patch: (session: SessionRow) => UpdateOf<SessionModel>, who: Who): Promise<void> {
    try {
      await this.#accessor.update(id, patch, { ...who, ...own })
    } catch (error) {
      // It was removed with its user.
      if (!(error instanceof NotFoundError)) throw error
    }
  }

  #revokeAccess(id: string): Promise<void> {
    return this.#revocations.revoke([id], new Date(Date.now() + this.#options.accessLifetime))
  }

  #expiry(): Date {
    return new Date(Date.now() + this.#options.refreshLifetime)
  }
}

interface SessionRow extends Family {
  readonly spent_at: Date | null
  readonly expires_at: Date
  readonly ended_at: Date | null
}

function outcomeOf(session: SessionRow, presented: string, receivedAt: number, now: Date): Outcome {
  if (session.ended_at !== null || session.expires_at <= now) return 'ended'
  if (sameDigest(presented, session.token_hash)) return 'renewed'
  const isPrevious = session.previous_hash !== null && sameDigest(presented, session.previous_hash)
  const spentLater = (session.spent_at?.getTime() ?? 0) - receivedAt
  // Where it was spent long after this request came, the clock was set back meanwhile.
  if (isPrevious && spentLater >= 0 && spentLater < longestRequest) return 'overtaken'
  return 'reused'
}

function refused() {
  return unauthorized('The refresh token is not valid, or not any more. Sign in again.')
}
