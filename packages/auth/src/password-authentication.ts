import type { WireSchema } from '@strongroom/contract'
import {
  type Access,
  type AnyAccessor,
  type AnyModel,
  ConflictError,
  type Logger,
  ModelAccessor,
  type Principal,
  type RestoreModule,
  type Storage,
  type WriteOptions,
} from '@strongroom/core'
import type { Authentication, DescribedRoutes, Figure } from '@strongroom/fastify'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiKeys } from './api-keys/api-keys.ts'
import { LoginAttempts } from './attempts/login-attempts.ts'
import type { Caller } from './caller.ts'
import { credentialsOf } from './credentials.ts'
import { authFigures, noCounts } from './figures.ts'
import { Revocation, SigningKey, userBoundModels } from './models.ts'
import { authOpenApi } from './openapi.ts'
import { type Administrator, type PasswordAuthenticationOptions, type ResolvedOptions, resolveOptions } from './options.ts'
import { PasswordHasher } from './passwords/password-hasher.ts'
import { refuse } from './refuse.ts'
import { type KnownCaller, RememberedCallers } from './remembered-callers.ts'
import { restoreModule } from './restore-module.ts'
import { DatabaseRevocations } from './revocations/database-revocations.ts'
import { Revocations } from './revocations/revocations.ts'
import type { Desk } from './routes/handlers.ts'
import { mountAuthRoutes } from './routes/mount.ts'
import { Sessions } from './sessions/sessions.ts'
import { AccessTokens, refused } from './tokens/access-tokens.ts'
import { SigningKeys } from './tokens/signing-keys.ts'
import { User, userAccess } from './users/user.ts'
import { UserDirectory } from './users/user-directory.ts'

/** Passwords, access tokens and API keys. Given to `bootstrap` as `auth`. */
export interface PasswordAuthentication extends Authentication {
  /** Turns single tokens away, and tells how the store of the revoked ones is. */
  readonly revocations: Revocations
  /**
   * Makes a user with the role of administrators, such as the first one. The storage that has the users is open.
   * @param administrator email, password, and whatever else a users' model of your own needs
   * @throws ValidationError for a password that is too weak; ConflictError where there is a user with this address
   * @example
   * await authentication.createAdministrator({ email: 'ada@example.com', password: 'correct horse battery staple' })
   */
  createAdministrator(administrator: Administrator & Readonly<Record<string, unknown>>): Promise<void>
  /**
   * Makes a new key, which signs access tokens from now on.
   * @param options `refuseOlder` turns away all tokens made before: here at once, in other instances within half a minute
   */
  rotateSigningKey(options?: { readonly refuseOlder?: boolean }): Promise<void>
  /**
   * Ends all sessions of a user, for good. API keys stay.
   * @throws NotFoundError where there is no such user
   */
  endSessions(userId: number | string, options?: Pick<WriteOptions, 'actor' | 'requestId'>): Promise<void>
  /**
   * Ends the sessions of everybody, and refuses all access tokens: here at once, in other instances within half a minute. For when keys
   * may be known to others, and after a backup was restored, which brings back sessions that had ended since.
   */
  endAllSessions(options?: Pick<WriteOptions, 'actor' | 'requestId'>): Promise<void>
  /** Forgets what is over: revocations, failures, old sessions. It is done every hour by itself. */
  sweep(): Promise<void>
}

/** Milliseconds between two sweeps. */
const sweepEvery = 3_600_000

/**
 * Lets users sign in with e-mail address and password, and programs with API keys.
 *
 * @throws UsageError `invalid_options` for options that cannot work
 * @example
 * const users = new ModelAccessor(User, 'users')
 * await bootstrap(app, {
 *   accessors: [users, tasks],
 *   access: [userAccess(), taskAccess],
 *   auth: passwordAuthentication({ users, secret: process.env['SECRET_KEY'] }),
 * })
 */
export function passwordAuthentication(options: PasswordAuthenticationOptions = {}): PasswordAuthentication {
  return new OwnAuthentication(resolveOptions(options))
}

class OwnAuthentication implements PasswordAuthentication {
  readonly accessors: readonly AnyAccessor[]
  readonly access: readonly Access[]
  readonly revocations: Revocations
  readonly securitySchemes = authOpenApi().securitySchemes
  readonly restoreModules: readonly RestoreModule[]
  readonly figures: readonly Figure[]
  readonly #options: ResolvedOptions
  readonly #keys: SigningKeys
  readonly #desk: Desk
  /** Those who are being looked up. */
  readonly #callers = new WeakMap<FastifyRequest, Promise<Caller>>()
  /** What decides on who is let in; none where the store of revocations is elsewhere, which has to be asked each time. */
  readonly #deciding: readonly AnyAccessor[]
  #remembered = new RememberedCallers(() => undefined)
  #logger: Logger = {
    info: () => undefined,
    warn: (message) => console.warn(message),
    error: (message, error) => console.error(message, error),
  }

  constructor(options: ResolvedOptions) {
    this.#options = options
    const hasher = new PasswordHasher(options.passwordHash)
    // Accessors of different models do not fit each other's types.
    const accessor = options.users ?? (new ModelAccessor(User, 'auth_users') as unknown as ModelAccessor<AnyModel>)
    const users = new UserDirectory(accessor, hasher, options.minPasswordLength)
    this.restoreModules = [restoreModule(accessor.model.name, users.fields.credentialsVersion)]
    const { Session, ApiKey, Lockout } = userBoundModels(() => accessor.model)
    const sessionAccessor = new ModelAccessor(Session, 'auth_sessions')
    const keyAccessor = new ModelAccessor(ApiKey, 'auth_api_keys')
    const signingKeys = new ModelAccessor(SigningKey, 'auth_signing_keys')
    const revocationAccessor = new ModelAccessor(Revocation, 'auth_revocations')
    const lockouts = new ModelAccessor(Lockout, 'auth_lockouts')
    const own: AnyAccessor[] = [sessionAccessor, keyAccessor, signingKeys, revocationAccessor, lockouts]
    this.accessors = options.users ? own : [accessor, ...own]
    this.access = options.users ? [] : [userAccess(options.administrators)]
    const logger = (): Logger => this.#logger
    const counts = noCounts()
    this.revocations = new Revocations(options.revocations ?? new DatabaseRevocations(revocationAccessor), logger)
    this.figures = authFigures(counts, this.revocations)
    this.#deciding = options.revocations ? [] : [accessor, keyAccessor, signingKeys, revocationAccessor]
    const { secret, rotateAfter, accessLifetime, refreshLifetime, issuer, audience } = options
    this.#keys = new SigningKeys(signingKeys, { secret, rotateAfter, tokenLifetime: accessLifetime }, () => tokens.forget())
    const tokens = new AccessTokens(this.#keys, { issuer, audience, lifetime: Math.ceil(accessLifetime / 1000) })
    this.#desk = {
      options,
      users,
      hasher,
      tokens,
      attempts: new LoginAttempts({ lockouts, options: options.lockout, counts, logger }),
      sessions: new Sessions(
        { accessor: sessionAccessor, users, revocations: this.revocations, counts },
        { refreshLifetime, accessLifetime: accessLifetime + 60_000 },
      ),
      revocations: this.revocations,
      apiKeys: new ApiKeys(keyAccessor, { users, revocations: this.revocations }, options.apiKeyPrefix, logger),
      callerOf: (request) => this.#callerOf(request),
    }
  }

  openApi(prefix: string, problem: WireSchema): DescribedRoutes {
    return authOpenApi(prefix, problem)
  }

  authenticate(request: FastifyRequest): Principal | null | Promise<Principal | null> {
    const caller = this.#callerOf(request)
    return caller instanceof Promise ? caller.then((found) => found?.principal ?? null) : (caller?.principal ?? null)
  }

  async mount(scope: FastifyInstance, storage: Storage): Promise<void> {
    const { users, hasher, attempts } = this.#desk
    if (!storage.accessors.includes(users.accessor))
      refuse('The accessor of the users has to be among the accessors of the server: bootstrap(app, { accessors: [users], … }).')
    this.#logger = {
      info: (message) => scope.log.info(message),
      warn: (message) => scope.log.warn(message),
      error: (message, error) => scope.log.error({ err: error }, message),
    }
    if (this.#deciding.length > 0) this.#remembered = new RememberedCallers(storage.watch(this.#deciding))
    await this.#keys.prepare()
    attempts.prepare(storage, await this.#keys.purposeKey('login attempts'))
    await hasher.prepare()
    await this.#makeFirstAdministrator()
    await mountAuthRoutes(scope, this.#desk)
    const timer = setInterval(() => {
      this.sweep().catch((error: unknown) => this.#logger.error('What is over could not be forgotten.', error))
    }, sweepEvery).unref()
    scope.addHook('onClose', async () => clearInterval(timer))
  }

  async createAdministrator(administrator: Administrator & Readonly<Record<string, unknown>>): Promise<void> {
    const { accessor, fields } = this.#desk.users
    const { administrators } = this.#options
    const { email, password, ...others } = administrator
    const role = { [fields.roles.name]: fields.roles.kind === 'json' ? [administrators] : administrators }
    await accessor.insert(
      { ...others, ...role, [fields.email]: email, [fields.password]: password },
      { actor: 'authentication', access: 'system' },
    )
  }

  rotateSigningKey(options: { readonly refuseOlder?: boolean } = {}): Promise<void> {
    return this.#keys.rotate(options)
  }

  endSessions(userId: number | string, options: Pick<WriteOptions, 'actor' | 'requestId'> = {}): Promise<void> {
    return this.#desk.users.endSessions(userId, { actor: 'authentication', ...options })
  }

  async endAllSessions(options: Pick<WriteOptions, 'actor' | 'requestId'> = {}): Promise<void> {
    await this.#desk.sessions.endAll({ actor: 'authentication', ...options })
    await this.#keys.rotate({ refuseOlder: true })
  }

  async sweep(): Promise<void> {
    await this.#desk.sessions.sweep()
    await this.#desk.attempts.sweep()
    await this.revocations.sweep()
  }

  /** Only where there has never been a user: one that was removed does not come back with the next start. */
  async #makeFirstAdministrator(): Promise<void> {
    const { firstAdministrator } = this.#options
    const { accessor } = this.#desk.users
    if ((await accessor.count({}, { includeDeleted: true, access: 'system' })) > 0) return
    if (!firstAdministrator) {
      this.#logger.warn(
        'There are no users yet. Make the first administrator: passwordAuthentication({ firstAdministrator: { email, password } }), or FIRST_ADMIN_EMAIL and FIRST_ADMIN_PASSWORD of createServer.',
      )
      return
    }
    try {
      await this.createAdministrator({ ...firstAdministrator })
      this.#logger.info('The first administrator was made. Change the password after the first sign-in.')
    } catch (error) {
      // Another instance that starts at the same time was faster.
      if (!(error instanceof ConflictError)) throw error
    }
  }

  /** Known at once, where the caller is remembered. */
  #callerOf(request: FastifyRequest): Caller | null | Promise<Caller | null> {
    const known = this.#callers.get(request)
    if (known !== undefined) return known
    const found = this.#findCaller(request)
    // Whoever is remembered is found again sooner than a map with weak keys is written.
    if (found instanceof Promise) this.#callers.set(request, found)
    return found
  }

  #findCaller(request: FastifyRequest): Caller | null | Promise<Caller> {
    const { authorization, 'x-api-key': key } = request.headers
    // All that is shown, as it is. No header has a line break, so that a key is never taken for a token.
    const shown = key === undefined ? authorization : `\n${authorization}\n${String(key)}`
    return shown === undefined ? null : (this.#remembered.find(shown) ?? this.#lookUp(request, shown))
  }

  #lookUp(request: FastifyRequest, shown: string): null | Promise<Caller> {
    const { apiKeys } = this.#desk
    const given = credentialsOf(request, (value) => apiKeys.looksLikeKey(value))
    if (!given) return null
    const { kind, value } = given
    return this.#remembered.lookUp(shown, () => (kind === 'key' ? this.#byKey(value) : this.#byToken(value)))
  }

  async #byKey(key: string): Promise<KnownCaller> {
    const { apiKeys } = this.#desk
    const { user, principal, row } = await apiKeys.authenticate(key)
    const used = (): void => apiKeys.noteUse(row)
    used()
    return { caller: { user, principal, claims: undefined }, until: row.expires_at?.getTime() ?? Number.POSITIVE_INFINITY, used }
  }

  async #byToken(token: string): Promise<KnownCaller> {
    const { tokens, users } = this.#desk
    const claims = await tokens.verify(token)
    const [user, isRevoked] = await Promise.all([users.bySubject(claims.sub), this.revocations.isRevoked([claims.sid, claims.jti])])
    if (isRevoked || !user || user.disabled || user.credentialsVersion !== claims.ver) throw refused()
    return { caller: { user, principal: user.principal, claims }, until: tokens.endOf(claims) }
  }
}
