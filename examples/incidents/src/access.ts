import { defineAccess } from '@strongroom/core'
import { DriftScan, Incident, Reading, TimelineEntry, User } from './models.ts'

const everybody = ['admin', 'responder', 'monitor', 'viewer'] as const

/** Who may do what; what stands here nowhere is denied. */
export const access = [
  defineAccess(User, {
    all: 'admin',
    read: [...everybody],
    fields: {
      roles: { read: 'admin', write: 'admin' },
      disabled: { read: 'admin', write: 'admin' },
      credentials_version: { read: 'admin' },
    },
  }),
  defineAccess(Incident, { all: ['admin', 'responder'], read: [...everybody], purge: 'admin' }),
  // history is not mended: entries can be added, and nobody changes one
  defineAccess(TimelineEntry, { read: [...everybody], create: ['admin', 'responder'] }),
  defineAccess(Reading, { all: ['admin', 'monitor'], read: [...everybody] }),
  defineAccess(DriftScan, { all: 'admin', create: ['admin', 'monitor'], read: [...everybody] }),
]
