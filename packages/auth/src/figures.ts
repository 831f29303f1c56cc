import type { Figure } from '@strongroom/fastify'
import type { Revocations } from './revocations/revocations.ts'

/** What authentication has counted since the start. */
export interface AuthCounts {
  logins: number
  loginFailures: number
  lockouts: number
  refreshes: number
  refreshReuse: number
}

export function noCounts(): AuthCounts {
  return { logins: 0, loginFailures: 0, lockouts: 0, refreshes: 0, refreshReuse: 0 }
}

/** The same for `/metrics`. None has a label: accounts and addresses are for the log. */
export function authFigures(counts: AuthCounts, revocations: Pick<Revocations, 'isDown' | 'failures'>): Figure[] {
  const counter = (name: Figure['name'], help: string, read: () => number): Figure => ({ name, help, type: 'counter', read })
  return [
    counter('strongroom_logins_total', 'Sign-ins with a password.', () => counts.logins),
    counter('strongroom_login_failures_total', 'Passwords that were wrong, of users who are there and others.', () => counts.loginFailures),
    counter('strongroom_lockouts_total', 'How often an account or an address was made to wait for its failures.', () => counts.lockouts),
    counter('strongroom_refreshes_total', 'Refresh tokens that were exchanged for the next pair.', () => counts.refreshes),
    counter(
      'strongroom_refresh_reuse_total',
      'Sessions that ended because a refresh token came again after it was spent: somebody may have stolen it.',
      () => counts.refreshReuse,
    ),
    {
      name: 'strongroom_revocation_store_up',
      help: '1 while the store of revoked tokens answers; while it does not, nobody with a token is let in.',
      type: 'gauge',
      read: () => Number(!revocations.isDown),
    },
    counter(
      'strongroom_revocation_store_failures_total',
      'Questions that the store of revoked tokens did not answer.',
      () => revocations.failures,
    ),
  ]
}
