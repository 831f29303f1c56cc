import { type AnyModel, Bytes, DateTime, Decimal, Default, defineModel, Int64, Json, ModelAccessor, PlainDate, Ref } from '@strongroom/core'
import { Type } from 'typebox'

/** Integer ids; a field of every type, without the bounds that would refuse what the engines may store differently. */
const Author = defineModel(
  'authors',
  {
    name: Type.String(),
    email: Type.Optional(Type.String()),
    role: Default(Type.Enum(['writer', 'editor', 'Éditeur']), 'writer'),
    age: Type.Optional(Type.Integer()),
    weight: Type.Optional(Type.Number()),
    active: Type.Optional(Type.Boolean()),
    balance: Type.Optional(Decimal({ precision: 18, scale: 4 })),
    visits: Type.Optional(Int64()),
    seen: Type.Optional(DateTime()),
    born: Type.Optional(PlainDate()),
    settings: Type.Optional(Json()),
    photo: Type.Optional(Bytes({ maxLength: 100 })),
    level: Default(Type.Integer(), 1),
    code: Type.Optional(Type.String()),
    secret: Type.Optional(Type.String()),
  },
  {
    softDelete: true,
    stamps: true,
    unique: [['email'], ['balance', 'seen']],
    indexes: [['role', 'name']],
    secret: ['secret'],
    readOnly: ['level'],
    immutable: ['code'],
  },
)

/** Text ids under another name; no soft delete. */
const Country = defineModel(
  'countries',
  { title: Type.String(), limit: Default(Type.Integer(), 0) },
  { id: { name: 'code', type: 'text' }, unique: [['title']] },
)

/** UUIDs; references that restrict, and that let go. */
const Article = defineModel(
  'articles',
  {
    title: Type.String(),
    author_id: Ref(() => Author, { onDelete: 'restrict' }),
    reviewer_id: Type.Optional(Ref(() => Author, { onDelete: 'setNull' })),
    country_code: Type.Optional(Ref(() => Country, { onDelete: 'setNull' })),
    words: Default(Type.Integer({ minimum: 0 }), 0),
    scores: Type.Optional(Json(Type.Array(Type.Integer(), { maxItems: 5 }))),
  },
  { id: 'uuid', softDelete: true, indexes: [['author_id']] },
)

/** References that cascade, and one to its own kind. */
const Comment = defineModel('comments', {
  article_id: Ref(() => Article, { onDelete: 'cascade' }),
  parent_id: Type.Optional(Ref((): AnyModel<number> => Comment, { onDelete: 'cascade' })),
  text: Type.String(),
  stars: Type.Optional(Type.Integer({ minimum: 1, maximum: 5 })),
})

/** Text ids, soft-deleted; two fields that are unique together, and one whose values follow each other as they may. */
const Label = defineModel(
  'labels',
  { shelf: Type.String(), place: Type.Integer(), colour: Default(Type.Enum(['red', 'green', 'blue']), 'red') },
  {
    id: 'text',
    softDelete: true,
    unique: [['shelf', 'place']],
    transitions: { colour: { red: ['green'], green: ['blue', 'red'], blue: [] } },
  },
)

const models = { authors: Author, countries: Country, articles: Article, comments: Comment, labels: Label } as const

export type Component = keyof typeof models

// The keys of a literal are what its type says.
export const components = Object.keys(models) as Component[]

/** The fields of each component that a request may name. */
export const fields: Readonly<Record<Component, readonly string[]>> = {
  authors: ['name', 'email', 'role', 'age', 'weight', 'active', 'balance', 'visits', 'seen', 'born', 'settings', 'photo', 'code'],
  countries: ['title', 'limit'],
  articles: ['title', 'author_id', 'reviewer_id', 'country_code', 'words', 'scores'],
  comments: ['article_id', 'parent_id', 'text', 'stars'],
  labels: ['shelf', 'place', 'colour'],
}

export const required: Readonly<Record<Component, readonly string[]>> = {
  authors: ['name'],
  countries: ['title'],
  articles: ['title', 'author_id'],
  comments: ['article_id', 'text'],
  labels: ['shelf', 'place'],
}

/** The name of the id of each. */
export const idNames: Readonly<Record<Component, string>> = {
  authors: 'id',
  countries: 'code',
  articles: 'id',
  comments: 'id',
  labels: 'id',
}

/** Whose ids the database counts, so that they need not be the same on two engines; the others are chosen by whoever asks. */
export const counted: readonly Component[] = ['authors', 'articles', 'comments']

/** Which fields hold an id of whom. */
export const references: Readonly<Record<string, Component>> = {
  author_id: 'authors',
  reviewer_id: 'authors',
  article_id: 'articles',
  parent_id: 'comments',
  country_code: 'countries',
}

/** What can be read along, and whose records these are. */
export const included: Readonly<Record<Component, Readonly<Record<string, Component>>>> = {
  authors: {},
  countries: { articles: 'articles' },
  articles: { author: 'authors', reviewer: 'authors', comments: 'comments', country: 'countries' },
  comments: { article: 'articles', parent: 'comments', comments: 'comments' },
  labels: {},
}

/** An accessor belongs to one storage: each engine has its own. */
export function makeAccessors(): ModelAccessor<AnyModel>[] {
  return components.map((component) => new ModelAccessor<AnyModel>(models[component], component))
}
