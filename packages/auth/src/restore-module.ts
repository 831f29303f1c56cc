import type { RestoreModule } from '@strongroom/core'
import { Revocation, SigningKey } from './models.ts'

/** What must not come back with an old backup: sessions, and whatever was revoked or locked since it was made. Locks are counters, which a restore keeps. */
export const restoreModule: RestoreModule = {
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
  ],
}
