import { type AnyModel, Default, defineModel, Json, ModelAccessor, Ref } from '@strongroom/core'
import { Type } from 'typebox'
import { everyKindOfField } from './every-kind-of-field.ts'

/** Integer ids; a field of every type, and every option that a field can have. */
const Author = defineModel(
  'authors',
  {
    name: Type.String({ minLength: 1, maxLength: 200 }),
    email: Type.String({ format: 'email' }),
    ...everyKindOfField,
    level: Default(Type.Integer(), 1),
    code: Type.Optional(Type.String({ pattern: '^[A-Z]{2,4}$' })),
    password_hash: Type.Optional(Type.String()),
  },
  {
    softDelete: true,
    stamps: true,
    unique: [['email']],
    indexes: [['role', 'name']],
    secret: ['password_hash'],
    readOnly: ['level'],
    immutable: ['code'],
  },
)

/** Text ids under another name; no soft delete. */
const Country = defineModel(
  'countries',
  { title: Type.String({ maxLength: 80 }), limit: Default(Type.Integer(), 0) },
  { id: { name: 'code', type: 'text' } },
)

/** UUIDs; references that restrict and that let go. */
const Article = defineModel(
  'articles',
  {
    title: Type.String({ minLength: 1 }),
    slug: Type.Optional(Type.String()),
    author_id: Ref(() => Author, { onDelete: 'restrict' }),
    reviewer_id: Type.Optional(Ref(() => Author, { onDelete: 'setNull' })),
    country_code: Type.Optional(Ref(() => Country)),
    words: Default(Type.Integer({ minimum: 0 }), 0),
    scores: Type.Optional(Json(Type.Array(Type.Integer(), { maxItems: 5 }))),
  },
  { id: 'uuid', softDelete: true, stamps: true, indexes: [['author_id']] },
)

/** References that cascade, and one to its own kind. */
const Comment = defineModel('comments', {
  article_id: Ref(() => Article, { onDelete: 'cascade' }),
  parent_id: Type.Optional(Ref((): AnyModel<number> => Comment, { onDelete: 'cascade' })),
  text: Type.String({ maxLength: 2_000 }),
  stars: Type.Optional(Type.Integer({ minimum: 1, maximum: 5 })),
})

/** Text ids, soft-deleted; two fields that are unique together. */
const Label = defineModel(
  'labels',
  { shelf: Type.String({ maxLength: 20 }), place: Type.Integer(), colour: Type.Optional(Type.Enum(['red', 'green', 'blue'])) },
  { id: 'text', softDelete: true, unique: [['shelf', 'place']] },
)

export const authors = new ModelAccessor(Author, 'authors')
export const articles = new ModelAccessor(Article, 'articles')

export const accessors = [
  authors,
  new ModelAccessor(Country, 'countries'),
  articles,
  new ModelAccessor(Comment, 'comments'),
  new ModelAccessor(Label, 'labels'),
]
