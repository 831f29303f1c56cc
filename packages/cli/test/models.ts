import { defineAccess, defineModel, ModelAccessor, Ref } from '@strongroom/core'
import { Type } from 'typebox'

const User = defineModel('users', { name: Type.String(), password_hash: Type.Optional(Type.String()) }, { secret: ['password_hash'] })
const Task = defineModel('tasks', { title: Type.String(), owner_id: Type.Optional(Ref(() => User)) })

export const users = new ModelAccessor(User, 'users')
/** Accessors may stand in lists, and twice. */
export const accessors = [users, new ModelAccessor(Task, 'tasks')]
export const somethingElse = 'no accessor'

/** Rules may stand in lists, too. */
export const access = [
  defineAccess(Task, {
    read: true,
    update: ['admin', ({ id }) => ({ owner_id: Number(id) })],
    delete: 'admin',
    fields: { owner_id: { write: 'admin' } },
  }),
]

/** Others of the same models, for a storage of their own. */
export const makeAccessors = () => [new ModelAccessor(User, 'users'), new ModelAccessor(Task, 'tasks')] as const
