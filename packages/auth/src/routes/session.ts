import { StrongroomError, ValidationError } from '@strongroom/core'
import { type Caller, requireSession } from '../caller.ts'
import { unauthorized } from '../refuse.ts'
import type { Desk, Handler, Visit } from './handlers.ts'

/** `POST /auth/logout`. */
export const signOut: Handler = async (desk, { request, body, requestId }) => {
  const given = body['refresh_token'] ?? body['token']
  if (given === undefined && request.headers.authorization === undefined)
    throw new StrongroomError('bad_request', 'Send refresh_token, or the access token as Authorization: Bearer <token>.')
  const caller = await callerOrNobody(desk, request)
  if (caller?.claims) {
    const { sid, jti, exp } = caller.claims
    await desk.sessions.end(sid, { actor: caller.user.email, requestId })
    await desk.revocations.revoke([jti], new Date(exp * 1000 + graceful))
  }
  if (typeof given === 'string') await desk.sessions.endByToken(given, requestId)
  return { status: 'signed_out' }
}

/** Milliseconds; clocks of instances differ. */
const graceful = 60_000

/** A token that is no good any more needs no ending (RFC 7009, 2.2). */
async function callerOrNobody(desk: Desk, request: Visit['request']): Promise<Caller | null> {
  try {
    return await desk.callerOf(request)
  } catch (error) {
    if (error instanceof StrongroomError && error.code === 'unauthorized') return null
    throw error
  }
}

/** `GET /auth/me`. */
export const whoAmI: Handler = async (desk, visit) => {
  const { user, principal, claims } = await requireCaller(desk, visit)
  return {
    id: user.id,
    email: user.email,
    roles: principal.roles ?? [],
    tenant: principal.tenant ?? null,
    scopes: principal.scopes ?? null,
    via: claims ? 'session' : 'api_key',
  }
}

/** `POST /auth/password`. */
export const changePassword: Handler = async (desk, visit) => {
  const { user } = requireSession(await requireCaller(desk, visit))
  const { current_password: current, new_password: next } = visit.body
  if (typeof current !== 'string' || typeof next !== 'string') throw new ValidationError('must have current_password and new_password')
  const works = (): Promise<boolean> => desk.hasher.matches(user.passwordHash, current)
  if (!(await desk.attempts.guard({ email: user.email, user, ip: visit.request.ip }, works)))
    throw new ValidationError([{ path: 'current_password', message: 'is not your password' }])
  await desk.users.changePassword(user, next, 'new_password', visit.requestId)
  return { status: 'password_changed' }
}

/** The caller of a route that needs one. */
export async function requireCaller(desk: Desk, { request }: Visit): Promise<Caller> {
  const caller = await desk.callerOf(request)
  if (!caller) throw unauthorized('Sign in, and send the access token as Authorization: Bearer <token>.')
  return caller
}
