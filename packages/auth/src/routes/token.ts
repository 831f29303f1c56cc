import { StrongroomError } from '@strongroom/core'
import { unauthorized } from '../refuse.ts'
import type { OpenSession } from '../sessions/sessions.ts'
import type { KnownUser } from '../users/user-directory.ts'
import type { Desk, Handler, Visit } from './handlers.ts'

/** `POST /auth/token`: signs in, or refreshes where `grant_type` says so. */
export const signIn: Handler = async (desk, visit) => {
  const { grant_type, refresh_token } = visit.body
  if (grant_type === 'refresh_token' || (grant_type === undefined && refresh_token !== undefined)) return refresh(desk, visit)
  const email = visit.body['email'] ?? visit.body['username']
  const { password } = visit.body
  if (typeof email !== 'string' || typeof password !== 'string')
    throw new StrongroomError('bad_request', 'Send email and password, as JSON or as a form with username and password.')
  const user = await desk.users.byEmail(email)
  await checkPassword(desk, visit, { email, user, password })
  // Whoever is there has signed in: checkPassword refuses unknown users.
  if (!user) throw wrongPassword()
  if (user.passwordHash !== null && desk.hasher.isOutdated(user.passwordHash)) await desk.users.upgradeHash(user, password)
  return answer(desk, await desk.sessions.begin(user, visit.requestId))
}

/** `POST /auth/refresh`. */
export const refresh: Handler = async (desk, visit) => {
  const { refresh_token } = visit.body
  if (typeof refresh_token !== 'string') throw new StrongroomError('bad_request', 'Send refresh_token.')
  return answer(desk, await desk.sessions.renew(refresh_token, visit.receivedAt, visit.requestId))
}

interface Claimed {
  readonly email: string
  readonly user: KnownUser | undefined
  readonly password: string
}

/** Throws `unauthorized` where the password is wrong, and the same, as late, where nobody has that name or the user is suspended. */
async function checkPassword({ attempts, hasher }: Desk, { request }: Visit, { email, user, password }: Claimed): Promise<void> {
  const works = async (): Promise<boolean> => {
    const same = await hasher.matches(user?.passwordHash ?? null, password)
    return same && user !== undefined && !user.disabled
  }
  if (!(await attempts.guard({ email, user, ip: request.ip }, works))) throw wrongPassword()
}

function wrongPassword() {
  return unauthorized('The e-mail address or the password is wrong.')
}

async function answer({ tokens }: Desk, { id, user, refreshToken }: OpenSession): Promise<object> {
  const access_token = await tokens.sign({ sub: String(user.id), sid: id, ver: user.credentialsVersion })
  return { access_token, token_type: 'Bearer', expires_in: tokens.lifetime, refresh_token: refreshToken }
}
