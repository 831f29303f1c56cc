import { createHmac, hkdfSync } from 'node:crypto'
import { secretMark, type Tenant, tenants } from './marks.ts'
import { callerName } from './models.ts'

export const secretKey = 'n0t-so-random-but-long-enough-Text-42!'
export const cheapHash = { memoryCost: 64, timeCost: 1, parallelism: 1 } as const

const domain = 'callers.example.com'
export const passwords = [`${secretMark} correct horse`, `${secretMark} battery staple`] as const

/** Users who change their passwords, in turn. */
export const changers = Array.from({ length: 8 }, (_, index) => `changer${index}@${domain}`)

const roles = ['editor', 'reader', 'admin', 'guest'] as const
type Role = (typeof roles)[number] | 'operator'

function user(email: string, role: string, tenant: string) {
  return { email, name: callerName, password: passwords[0], roles: [role], tenant }
}

/** Everybody whom the server knows from the start. */
export const callerUsers = [
  ...tenants.flatMap((tenant) => roles.map((role) => user(`${role}.${tenant}@${domain}`, role, tenant))),
  user(`operator@${domain}`, 'operator', '*'),
  ...changers.map((email) => user(email, 'reader', 'red')),
]

/** Somebody who sends requests, and how they say who they are. */
export interface Caller {
  readonly title: string
  /** Whose records they may see; undefined for nobody, and `*` for all. */
  readonly tenant: Tenant | '*' | undefined
  readonly role: Role | undefined
  /** Whether they may be let in at all. */
  readonly isGood: boolean
  /** They hold an access token, and no key. */
  readonly hasSession: boolean
  readonly headers: Readonly<Record<string, string>>
}

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
}

/** Signs callers in, and makes the credentials of those who must not be let in. */
export class Callers {
  readonly #url: string
  #all: readonly Caller[] = []
  #made = 0
  /** Tokens and keys that were handed out: none may be in a log afterwards. */
  readonly handedOut: string[] = []

  constructor(url: string) {
    this.#url = url
  }

  get all(): readonly Caller[] {
    return this.#all
  }

  good(role: Role, tenant?: Tenant): Caller[] {
    return this.#all.filter((caller) => caller.isGood && caller.role === role && (tenant === undefined || caller.tenant === tenant))
  }

  get bad(): Caller[] {
    return this.#all.filter(({ isGood }) => !isGood)
  }

  /** Everybody signs in again: a restore ends all sessions. */
  async prepare(): Promise<void> {
    const good: Caller[] = []
    for (const { email, roles: own, tenant } of callerUsers) {
      const [role] = own
      if (changers.includes(email)) continue
      // The users above have one role each, of those that there are.
      const about = { tenant: tenant as Tenant | '*', role: role as Role, isGood: true }
      const { access_token } = await this.signIn(email)
      good.push({ ...about, title: `${role} of ${tenant}`, hasSession: true, headers: bearer(access_token) })
      if (role !== 'editor' && role !== 'operator') continue
      const { key } = await this.issueKey(access_token, `key of ${tenant}`)
      good.push({ ...about, title: `${role} of ${tenant} with a key`, hasSession: false, headers: { 'x-api-key': key } })
    }
    this.#all = [...good, ...(await this.#strangers())]
  }

  async signIn(email: string, password: string = passwords[0]): Promise<Tokens> {
    const answer = await this.#send('POST', '/auth/token', { email, password })
    if (answer.status !== 200) throw new Error(`${email} could not sign in: ${answer.status} ${JSON.stringify(answer.body)}`)
    const tokens = answer.body as Tokens
    this.handedOut.push(tokens.access_token, tokens.refresh_token)
    return tokens
  }

  /** Signs somebody in whose password is one of the two; answers the other one, too. */
  async signInByEither(email: string): Promise<Tokens & { readonly password: string; readonly other: string }> {
    for (const [password, other] of [passwords, [passwords[1], passwords[0]] as const]) {
      const answer = await this.#send('POST', '/auth/token', { email, password })
      if (answer.status === 200) return { ...(answer.body as Tokens), password, other }
    }
    throw new Error(`${email} has another password`)
  }

  async issueKey(token: string, name: string): Promise<{ readonly id: string; readonly key: string }> {
    const answer = await this.#send('POST', '/auth/api-keys', { name }, bearer(token))
    if (answer.status !== 201) throw new Error(`A key was not issued: ${answer.status} ${JSON.stringify(answer.body)}`)
    const issued = answer.body as { readonly id: string; readonly key: string }
    this.handedOut.push(issued.key)
    return issued
  }

  /** Those who are nobody, whatever they show. */
  async #strangers(): Promise<Caller[]> {
    const victim = (await this.signIn(`editor.red@${domain}`)).access_token
    const operator = (await this.signIn(`operator@${domain}`)).access_token
    const signedOut = (await this.signIn(`editor.blue@${domain}`)).access_token
    await this.#send('POST', '/auth/logout', {}, bearer(signedOut))
    const revoked = await this.issueKey(victim, 'to be revoked')
    await this.#send('DELETE', `/auth/api-keys/${revoked.id}`, undefined, bearer(victim))
    const [changer = ''] = changers
    const before = await this.signInByEither(changer)
    await this.#send(
      'POST',
      '/auth/password',
      { current_password: before.password, new_password: before.other },
      bearer(before.access_token),
    )
    const suspended = await this.#signInAndLose('PATCH', { disabled: true })
    const removed = await this.#signInAndLose('DELETE')
    const now = Math.floor(Date.now() / 1000)
    const shown: Readonly<Record<string, Readonly<Record<string, string>>>> = {
      nobody: {},
      'a name in X-User': { 'x-user': `operator@${domain}` },
      'an expired token': bearer(resigned(operator, { iat: now - 3_600, nbf: now - 3_600, exp: now - 60 })),
      'a token of another audience': bearer(resigned(operator, { aud: 'others' })),
      'a token with a guessed key': bearer(resigned(operator, {}, {}, Buffer.from('secret'))),
      'a token without a signature': bearer(`${encoded({ alg: 'none', typ: 'at+jwt' })}.${operator.split('.')[1]}.`),
      'a token for somebody else': bearer(exchanged(victim, operator)),
      'a token of HS512': bearer(resigned(operator, {}, { alg: 'HS512' })),
      'a token after the sign-out': bearer(signedOut),
      'a token from before the password changed': bearer(before.access_token),
      'a token of a suspended user': bearer(suspended),
      'a token of a removed user': bearer(removed),
      'a token of an id that nobody has': bearer(resigned(operator, { sub: '4711000' })),
      'a token with an old version': bearer(resigned(operator, { ver: 0 })),
      'a refresh token as an access token': bearer((await this.signIn(`reader.red@${domain}`)).refresh_token),
      'a revoked key': { 'x-api-key': revoked.key },
      'a key that is guessed': { 'x-api-key': `${revoked.key.slice(0, -3)}abc` },
      'a token and a key': { ...bearer(victim), 'x-api-key': revoked.key },
      'a name and password': { authorization: `Basic ${Buffer.from(`operator@${domain}:${passwords[0]}`).toString('base64')}` },
      'nonsense as a token': bearer('nonsense'),
    }
    return Object.entries(shown).map(([title, headers]) => {
      return { title, headers, tenant: undefined, role: undefined, isGood: false, hasSession: false }
    })
  }

  /** The token of a new user to whom an administrator then does something. Others may let them in again, but not with that token. */
  async #signInAndLose(method: string, body?: object): Promise<string> {
    const admin = bearer((await this.signIn(`admin.red@${domain}`)).access_token)
    const email = `lost${this.#made++}@${domain}`
    const made = await this.#send('POST', '/users', { email, password: passwords[0], roles: ['operator'], tenant: 'red' }, admin)
    const { id } = made.body as { readonly id?: number }
    const token = (await this.signIn(email)).access_token
    const done = await this.#send(method, `/users/${id}`, body, admin)
    if (done.status !== 200) throw new Error(`${method} of ${email} was not done: ${done.status} ${JSON.stringify(done.body)}`)
    return token
  }

  async #send(method: string, path: string, body?: object, headers: Readonly<Record<string, string>> = {}) {
    const content = body === undefined ? {} : { body: JSON.stringify(body) }
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const answer = await fetch(`${this.#url}${path}`, { method, headers: { ...headers, ...type }, ...content })
    return { status: answer.status, body: (await answer.json()) as unknown }
  }
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decoded(part = ''): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
}

/** The token with other claims, signed by hand with the server's own key, as whoever has stolen its secret would, or with another. */
function resigned(token: string, claims: object, header: object = {}, stolen?: Buffer): string {
  const [head, body] = token.split('.')
  const kid = String(decoded(head)['kid'])
  const key = stolen ?? Buffer.from(hkdfSync('sha256', secretKey, kid, 'strongroom access token', 32))
  const content = `${encoded({ ...decoded(head), ...header })}.${encoded({ ...decoded(body), ...claims })}`
  return `${content}.${createHmac('sha256', key).update(content).digest('base64url')}`
}

/** One token's claims under another's signature. */
function exchanged(signed: string, claimed: string): string {
  const [head, , signature] = signed.split('.')
  return `${head}.${claimed.split('.')[1]}.${signature}`
}
