import { defineAccess, type Principal } from '@strongroom/core'
import { Category, Comment, Post, PostTag, Tag, User } from './models.ts'

/** What was added by the caller. */
const own = ({ id }: Principal) => ({ added_by: Number(id) })
const ownAsAuthor = (principal: Principal) => principal.roles?.includes('author') === true && own(principal)
const signedIn = ({ id }: Principal) => id !== null

/** Who may do what. What stands here nowhere is denied. */
export const access = [
  // names stand beside posts and comments; addresses and roles are for administrators
  defineAccess(User, {
    all: 'admin',
    read: true,
    fields: Object.fromEntries(
      (['email', 'roles', 'tenant', 'disabled', 'credentials_version'] as const).map((name) => [name, { read: 'admin', write: 'admin' }]),
    ),
  }),
  defineAccess(Category, { all: ['admin', 'editor'], read: true }),
  defineAccess(Tag, { all: ['admin', 'editor'], read: true, create: ['admin', 'editor', 'author'] }),
  defineAccess(Post, {
    all: ['admin', 'editor', ownAsAuthor],
    read: ['admin', 'editor', { status: 'published' }, own],
    purge: 'admin',
  }),
  defineAccess(PostTag, {
    all: ['admin', 'editor', (principal) => ({ linked: { post: own(principal) } })],
    read: ['admin', 'editor', { linked: { post: { status: 'published' } } }, (principal) => ({ linked: { post: own(principal) } })],
  }),
  defineAccess(Comment, {
    all: ['admin', 'editor'],
    read: ['admin', 'editor', { hidden: false, linked: { post: { status: 'published' } } }, own],
    create: signedIn,
    update: ['admin', 'editor', own],
    delete: ['admin', 'editor', own],
    fields: { hidden: { write: ['admin', 'editor'] } },
  }),
]
