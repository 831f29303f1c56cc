import { defineAccess } from '@strongroom/core'
import { Log, User } from './models.ts'

/** Who may do what; the tenant holds everybody to the logs of their own client besides. What was logged is never changed. */
export const access = [
  defineAccess(User, { all: 'admin', read: ['admin', ({ id }) => ({ id: Number(id) })] }),
  defineAccess(Log, { read: ['admin', 'reader', 'shipper'], create: ['admin', 'shipper'], update: ['admin', 'shipper'], purge: 'admin' }),
]
