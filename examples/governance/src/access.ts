import { defineAccess, type Principal } from '@strongroom/core'
import { Control, Evidence, Risk, Task, User } from './models.ts'

const readers = ['admin', 'analyst', 'viewer'] as const

/** What the caller answers for; viewers only read, whatever is theirs. */
const own = ({ id, roles }: Principal) => roles?.includes('analyst') === true && { owner_id: String(id) }
/** Whoever owns a risk looks after what belongs to it; the same for controls and their evidence. */
const ofOwnRisk = (principal: Principal) => {
  const owned = own(principal)
  return owned && { linked: { risk: owned } }
}
const ofOwnControl = (principal: Principal) => {
  const owned = own(principal)
  return owned && { linked: { control: owned } }
}

/** Who may do what; what stands here nowhere is denied. */
export const access = [
  defineAccess(User, {
    all: 'admin',
    read: [...readers],
    fields: {
      roles: { read: 'admin', write: 'admin' },
      disabled: { read: 'admin', write: 'admin' },
      credentials_version: { read: 'admin' },
    },
  }),
  defineAccess(Risk, { all: ['admin', own], read: [...readers], purge: 'admin' }),
  defineAccess(Control, { all: ['admin', own, ofOwnRisk], read: [...readers], create: ['admin', ofOwnRisk], purge: 'admin' }),
  defineAccess(Task, { all: ['admin', own, ofOwnRisk], read: [...readers], create: ['admin', ofOwnRisk], purge: 'admin' }),
  defineAccess(Evidence, {
    all: ['admin', own, ofOwnControl],
    read: [...readers],
    create: ['admin', ofOwnControl],
    purge: 'admin',
  }),
]
