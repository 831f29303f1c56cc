import { randomUUID } from 'node:crypto'
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { unauthorized } from '../refuse.ts'
import type { SigningKeys } from './signing-keys.ts'

/** What an access token says. Roles are not in it: they are the user's as they are now. */
export interface AccessClaims {
  /** The user's id as text. */
  readonly sub: string
  /** The token's own id. */
  readonly jti: string
  /** The session that it comes from. */
  readonly sid: string
  /** The user's `credentials_version` when it was made. */
  readonly ver: number
  /** Seconds since 1970. */
  readonly exp: number
}

export interface AccessTokenOptions {
  readonly issuer: string
  readonly audience: string
  /** Seconds that a token lives. */
  readonly lifetime: number
}

/** The one algorithm: this server makes the tokens and reads them, so that nobody else needs a key. */
const algorithm = 'HS256'
/** Says what kind of JWT it is, so that no other one with the same key passes for it (RFC 9068). */
const tokenType = 'at+jwt'
/** Seconds that clocks of instances may differ. */
const clockTolerance = 5
/** Characters; ours have about 400. */
const longestToken = 2_048
/** Tokens whose signature is remembered as good. */
const mostRemembered = 2_000

/** Makes and reads access tokens (RFC 7519). */
export class AccessTokens {
  readonly #keys: SigningKeys
  readonly #options: AccessTokenOptions
  /** A signature is good for ever; what else makes a token bad is looked up with each request. */
  readonly #verified = new Map<string, AccessClaims>()

  constructor(keys: SigningKeys, options: AccessTokenOptions) {
    this.#keys = keys
    this.#options = options
  }

  get lifetime(): number {
    return this.#options.lifetime
  }

  /** Makes a token. */
  async sign(claims: Pick<AccessClaims, 'sub' | 'sid' | 'ver'>): Promise<string> {
    const { kid, bytes } = await this.#keys.newest()
    const { issuer, audience, lifetime } = this.#options
    const now = Math.floor(Date.now() / 1000)
    const payload: JWTPayload = { ...claims, iss: issuer, aud: audience, jti: randomUUID(), iat: now, nbf: now, exp: now + lifetime }
    return new SignJWT(payload).setProtectedHeader({ alg: algorithm, typ: tokenType, kid }).sign(bytes)
  }

  /** Reads a token. Throws `unauthorized` for every one that is not as this server makes them, and in its time. */
  async verify(token: string): Promise<AccessClaims> {
    await this.#keys.freshen()
    const known = this.#verified.get(token)
    if (known) {
      if (this.endOf(known) > Date.now()) return known
      this.#verified.delete(token)
      throw refused()
    }
    if (token.length > longestToken) throw refused()
    const claims = await this.#check(token)
    if (this.#verified.size >= mostRemembered) this.#verified.clear()
    this.#verified.set(token, claims)
    return claims
  }

  /** Milliseconds since 1970 from which on a token is over. */
  endOf({ exp }: AccessClaims): number {
    return (exp + clockTolerance) * 1000
  }

  /** Looks at every signature again. */
  forget(): void {
    this.#verified.clear()
  }

  async #check(token: string): Promise<AccessClaims> {
    const { issuer, audience, lifetime } = this.#options
    try {
      const { payload } = await jwtVerify(token, async ({ kid }) => this.#keyOf(kid), {
        algorithms: [algorithm],
        typ: tokenType,
        issuer,
        audience,
        clockTolerance,
        maxTokenAge: lifetime,
        requiredClaims: ['sub', 'jti', 'sid', 'ver', 'exp', 'nbf'],
      })
      return readClaims(payload)
    } catch (error) {
      if (error instanceof errors.JOSEError) throw refused()
      throw error
    }
  }

  async #keyOf(kid: unknown): Promise<Uint8Array> {
    const key = typeof kid === 'string' ? await this.#keys.find(kid) : undefined
    if (!key) throw refused()
    return key.bytes
  }
}

function readClaims({ sub, jti, exp, sid, ver }: JWTPayload): AccessClaims {
  if (typeof sub !== 'string' || typeof jti !== 'string' || typeof exp !== 'number' || typeof sid !== 'string' || typeof ver !== 'number')
    throw refused()
  return { sub, jti, exp, sid, ver }
}

/** One sentence for whatever is wrong: whoever forges tokens learns nothing. */
export function refused() {
  return unauthorized('The access token is not valid, or not any more. Refresh it, or sign in again.')
}
