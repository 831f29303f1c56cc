import { ForbiddenError, InvalidQueryError, NotFoundError } from '@strongroom/core'
import type { ApiKeyRow } from '../api-keys/api-keys.ts'
import { type Caller, looksAfter, requireSession } from '../caller.ts'
import type { KnownUser } from '../users/user-directory.ts'
import type { Desk, Handler } from './handlers.ts'
import { requireCaller } from './session.ts'

/** `GET /auth/api-keys`. */
export const listKeys: Handler = async (desk, visit) => {
  const caller = requireSession(await requireCaller(desk, visit))
  const query = Object.entries(visit.request.query as Readonly<Record<string, unknown>>)
  const stranger = query.find(([name]) => name !== 'user_id')
  if (stranger) throw new InvalidQueryError(`Unknown parameter ${JSON.stringify(stranger[0].slice(0, 60))}. There is user_id.`)
  const wanted = query[0]?.[1]
  const owner = wanted === undefined ? caller.user : await userInCare(desk, caller, String(wanted))
  return (await desk.apiKeys.list(owner)).map(wireKey)
}

/** `POST /auth/api-keys`. */
export const issueKey: Handler = async (desk, visit) => {
  const { user } = requireSession(await requireCaller(desk, visit))
  // The body was held against its schema.
  const { name, scopes, tenant, expires_at } = visit.body as { name: string; scopes?: string[]; tenant?: string; expires_at?: string }
  const expiresAt = expires_at === undefined ? undefined : new Date(expires_at)
  const { row, key } = await desk.apiKeys.issue(user, { name, scopes, tenant, expiresAt }, visit.requestId)
  return { ...wireKey(row), key }
}

/** `DELETE /auth/api-keys/{id}`. */
export const revokeKey: Handler = async (desk, visit) => {
  const caller = requireSession(await requireCaller(desk, visit))
  const { id = '' } = visit.request.params as { id?: string }
  const row = await desk.apiKeys.get(id)
  const owner = row && (await desk.users.byId(row.user_id))
  const isTheirs =
    row !== undefined && (row.user_id === caller.user.id || (owner && looksAfter(caller, owner, desk.options.administrators)))
  if (!row || !isTheirs) throw new NotFoundError('There is no API key with this id.')
  return wireKey(await desk.apiKeys.revoke(row, { actor: caller.user.email, requestId: visit.requestId }))
}

/** The user whose keys an administrator asks for. Somebody in nobody's care is as if they were not there. */
async function userInCare(desk: Desk, caller: Caller, id: string): Promise<KnownUser> {
  const user = await desk.users.bySubject(id)
  if (user && (user.id === caller.user.id || looksAfter(caller, user, desk.options.administrators))) return user
  throw new ForbiddenError('You may only ask for the keys of users whom you look after.')
}

function wireKey(row: ApiKeyRow): Record<string, unknown> {
  const { id, name, hint, user_id, scopes, tenant, expires_at, last_used_at, revoked_at, created_at } = row
  return { id, name, hint, user_id, scopes, tenant, expires_at, last_used_at, revoked_at, created_at }
}
