import type { Dice } from '../requests/dice.ts'
import type { Draft } from '../requests/request.ts'
import { bearer, type Caller, type Callers, callerUsers, changers, passwords } from './callers.ts'

/** What has to be done before a request is sent: it may need a session or a key of its own. */
export type Preparation = (draft: Draft) => Promise<void>

/** Gives requests below /auth what they need to be done: a password, a token that is good once, a key that is there. */
export class AuthRequests {
  readonly #callers: Callers
  readonly #dice: Dice
  #nextChanger = 0

  constructor(callers: Callers, dice: Dice) {
    this.#callers = callers
    this.#dice = dice
  }

  /** Completes a good request of an operation; undefined where it is good as it was made. */
  complete(draft: Draft): Preparation | undefined {
    asJson(draft)
    switch (draft.operation.name) {
      case 'POST /auth/token':
        draft.body = { email: this.#someone(), password: passwords[0] }
        return undefined
      case 'POST /auth/refresh':
        return async (sent) => {
          sent.body = { refresh_token: (await this.#callers.signIn(this.#someone())).refresh_token }
        }
      case 'POST /auth/logout':
        return async (sent) => {
          const { access_token, refresh_token } = await this.#callers.signIn(this.#someone())
          withoutCaller(sent)
          Object.assign(sent.headers, bearer(access_token))
          sent.body = { refresh_token }
        }
      case 'POST /auth/password': {
        // Several are under way at a time, each by another user.
        const changer = changers[1 + (this.#nextChanger++ % (changers.length - 1))] ?? ''
        return async (sent) => {
          const { access_token, password, other } = await this.#callers.signInByEither(changer)
          withoutCaller(sent)
          Object.assign(sent.headers, bearer(access_token))
          sent.body = { current_password: password, new_password: other }
        }
      }
      case 'POST /auth/api-keys':
        draft.body = { name: `key ${this.#dice.integer(1, 1_000)}`, ...(this.#dice.chance(0.3) && { expires_at: '2099-01-01T00:00:00Z' }) }
        return undefined
      case 'GET /auth/api-keys':
        draft.query = []
        return undefined
      case 'DELETE /auth/api-keys/{id}':
        return async (sent) => {
          const { access_token } = await this.#callers.signIn(this.#someone())
          const { id } = await this.#callers.issueKey(access_token, 'short-lived')
          withoutCaller(sent)
          Object.assign(sent.headers, bearer(access_token))
          sent.path = `/auth/api-keys/${id}`
        }
      default:
        return undefined
    }
  }

  /** Passwords are guessed at names that nobody has: the callers' own must not be locked. */
  spoil(draft: Draft): void {
    asJson(draft)
    if (['POST /auth/logout', 'POST /auth/refresh'].includes(draft.operation.name)) draft.body = { refresh_token: 'none' }
    if (draft.operation.name !== 'POST /auth/token') return
    draft.body = { email: `nobody${this.#dice.integer(1, 1_000)}@example.com`, password: 'a guess of somebody' }
  }

  #someone(): string {
    return this.#dice.pick(callerUsers.filter(({ email }) => !changers.includes(email)))?.email ?? ''
  }
}

/** Operations below /auth that need a login: where they are asked without one, they are refused. */
export function needsLogin(name: string): boolean {
  return !['POST /auth/token', 'POST /auth/refresh', 'POST /auth/logout'].includes(name)
}

/** A key may not do what only somebody who has signed in may. */
export function mayAsk({ hasSession }: Caller, name: string): boolean {
  return hasSession || !/^(GET|POST|DELETE) \/auth\/(api-keys|password)/.test(name)
}

function withoutCaller(draft: Draft): void {
  delete draft.headers['authorization']
  delete draft.headers['x-api-key']
}

/** The forms of RFC 6749 are for the tests of the routes. */
function asJson(draft: Draft): void {
  if (draft.operation.tag !== 'auth' || draft.text === undefined) return
  delete draft.text
  draft.headers['content-type'] = 'application/json'
}
