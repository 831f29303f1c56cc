import { everyTenant, type Principal, StrongroomError } from '@strongroom/core'
import { nameInHeader } from '../actor.ts'
import { refuse, refuseUnknown } from '../refuse.ts'
import type { Authentication } from './authentication.ts'

/** Which headers are believed. */
export interface TrustedHeaderOptions {
  /** Names the caller, who is known by that name; `x-user` unless said. */
  readonly user?: string | undefined
  /** The caller's roles, separated by commas; none unless said. */
  readonly roles?: string | undefined
  /** The caller's tenant; none unless said. */
  readonly tenant?: string | undefined
  /** Believes the tenant `*`, which stands for all of them; it is refused unless this is true. */
  readonly everyTenant?: boolean | undefined
}

/**
 * Believes what a header says of the caller, without any proof: for a closed network, or behind a proxy that authenticates, sets these
 * headers itself and removes those that clients send.
 *
 * @throws UsageError `invalid_options`
 * @example bootstrap(app, { accessors, access, auth: trustedHeader({ roles: 'x-roles' }) })
 */
export function trustedHeader(options: TrustedHeaderOptions = {}): Authentication {
  refuseUnknown('trustedHeader', options, ['user', 'roles', 'tenant', 'everyTenant'])
  const { user = 'x-user', roles, tenant, everyTenant: mayBeAll = false } = options
  if (typeof mayBeAll !== 'boolean') refuse('trustedHeader: everyTenant is true or false.')
  for (const name of [user, roles, tenant])
    if (name !== undefined && !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) refuse(`trustedHeader: "${name}" is no name of a header.`)
  return {
    proves: false,
    securitySchemes: { user: { type: 'apiKey', in: 'header', name: user, description: 'Names the caller, without proof.' } },
    authenticate(request): Principal | null {
      const name = nameInHeader(request, user)
      if (name === undefined) return null
      const own = tenant === undefined ? undefined : nameInHeader(request, tenant)
      if (own === everyTenant && !mayBeAll)
        throw new StrongroomError(
          'bad_request',
          `${tenant} names one tenant. This server believes nobody who says that it works for all of them.`,
        )
      const listed = roles === undefined ? [] : (nameInHeader(request, roles) ?? '').split(',').map((role) => role.trim())
      return { id: name, name, roles: listed.filter((role) => role !== ''), ...(own !== undefined && { tenant: own }) }
    },
  }
}
