import { accountFields, accountOptions } from '@strongroom/auth'
import { DateTime, Default, defineModel, ModelAccessor, Ref } from '@strongroom/core'
import { Type } from 'typebox'

/** Every record says when and by whom it was added and last updated: `added_by` is the id of a user, and rules ask by it who owns what. */
const stamps = {
  createdAt: 'date_added',
  updatedAt: 'date_updated',
  createdBy: { name: 'added_by', field: Ref(() => User, { onDelete: 'setNull' }) },
  updatedBy: { name: 'updated_by', field: Ref(() => User, { onDelete: 'setNull' }) },
} as const
const Slug = Type.String({ pattern: '^[a-z0-9]+(-[a-z0-9]+)*$', maxLength: 100 })
const Title = Type.String({ minLength: 1, maxLength: 200 })

/** Those who sign in: `roles` are admin, editor, author, or none for those who only comment. */
export const User = defineModel('users', accountFields, {
  ...accountOptions,
  // a user's own stamps are the names of those who wrote: the first administrator is added by nobody
  stamps: { createdAt: 'date_added', updatedAt: 'date_updated', createdBy: 'added_by', updatedBy: 'updated_by' },
})

export const Category = defineModel('categories', { name: Title, slug: Slug }, { stamps, unique: [['slug']] })

export const Tag = defineModel('tags', { name: Title, slug: Slug }, { stamps, unique: [['slug']] })

export const Post = defineModel(
  'posts',
  {
    title: Title,
    slug: Slug,
    body: Type.String({ minLength: 1, maxLength: 100_000 }),
    status: Default(Type.Enum(['draft', 'published']), 'draft'),
    published_at: Type.Optional(DateTime()),
    category_id: Ref(() => Category),
  },
  {
    stamps,
    softDelete: true,
    unique: [['slug']],
    readOnly: ['published_at'],
    indexes: [
      ['status', 'published_at'],
      ['category_id', 'status'],
      ['added_by', 'status'],
    ],
  },
)

/** A tag on a post: many posts have many tags. */
export const PostTag = defineModel(
  'post_tags',
  { post_id: Ref(() => Post, { onDelete: 'cascade' }), tag_id: Ref(() => Tag, { onDelete: 'cascade' }) },
  { stamps, unique: [['post_id', 'tag_id']], immutable: ['post_id', 'tag_id'] },
)

export const Comment = defineModel(
  'comments',
  {
    post_id: Ref(() => Post, { onDelete: 'cascade' }),
    body: Type.String({ minLength: 1, maxLength: 5000 }),
    hidden: Default(Type.Boolean(), false),
  },
  { stamps, softDelete: true, immutable: ['post_id'], indexes: [['post_id', 'hidden']] },
)

export const users = new ModelAccessor(User, 'users')
export const categories = new ModelAccessor(Category, 'categories')
export const tags = new ModelAccessor(Tag, 'tags')
export const posts = new ModelAccessor(Post, 'posts')
export const postTags = new ModelAccessor(PostTag, 'post_tags')
export const comments = new ModelAccessor(Comment, 'comments')

// the moment of publication is kept: what was withdrawn and comes again has its first one
const stampPublication: Parameters<typeof posts.beforeInsert>[0] = ({ record }) => {
  if (record.status === 'published') record.published_at ??= new Date()
}
posts.beforeInsert(stampPublication)
posts.beforeUpdate(stampPublication)
