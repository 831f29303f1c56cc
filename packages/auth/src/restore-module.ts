import type { RestoreModule } from '@strongroom/core'
import { Revocation, SigningKey } from './models.ts'

/**
 * What must not come back with an old backup: sessions, and whatever was revoked or locked since it was made. Locks are counters, which a restore keeps.
 *
 * The version of every user's credentials becomes one that there has never been, since the file's may be that of a token from before the
 * user was suspended or changed the password: it is counted up one by one, and so is never near the milliseconds of a moment.
 */
export function restoreModule(users: string, credentialsVersion: string): RestoreModule {
  return {
    name: 'authentication',
    carry: [
      { table: Revocation.name, how: 'merge' },
      { table: SigningKey.name, how: 'merge' },
    ],
    end: [
      {
        table: 'auth_sessions',
        rows: 'file',
        where: '"ended_at" IS NULL',
        set: { end_reason: 'ended_for_all' },
        stamp: ['ended_at'],
      },
      { table: users, rows: 'file', where: '1 = 1', stamp: [credentialsVersion] },
    ],
  }
}
