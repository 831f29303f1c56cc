import { User } from '@strongroom/auth'
import { type AnyModel, Default, defineAccess, defineModel, ModelAccessor, type Principal, Ref, type Where } from '@strongroom/core'
import { Type } from 'typebox'
import { everyKindOfField } from '../requests/every-kind-of-field.ts'

/** Integer ids; a field of every type, one that only some roles read, and a secret. */
const Author = defineModel(
  'authors',
  {
    house: Type.String({ maxLength: 40 }),
    name: Type.String({ minLength: 1, maxLength: 200 }),
    email: Type.String({ format: 'email' }),
    ...everyKindOfField,
    salary: Type.Optional(Type.Integer()),
    password_hash: Type.Optional(Type.String()),
  },
  { softDelete: true, stamps: true, tenant: 'house', unique: [['house', 'email']], secret: ['password_hash'] },
)

/** UUIDs, and references to records of the same tenant. */
const Article = defineModel(
  'articles',
  {
    house: Type.String({ maxLength: 40 }),
    title: Type.String({ minLength: 1 }),
    author_id: Ref(() => Author, { onDelete: 'cascade' }),
    parent_id: Type.Optional(Ref((): AnyModel<string> => Article, { onDelete: 'setNull' })),
    words: Default(Type.Integer({ minimum: 0 }), 0),
    published: Default(Type.Boolean(), false),
  },
  { id: 'uuid', softDelete: true, stamps: true, tenant: 'house', indexes: [['author_id']] },
)

/** What belongs to no tenant, and everybody who has signed in reads. */
const Country = defineModel('countries', { title: Type.String({ maxLength: 80 }) }, { id: { name: 'code', type: 'text' } })

export const users = new ModelAccessor(User, 'users')
export const accessors = [
  users,
  new ModelAccessor(Author, 'authors'),
  new ModelAccessor(Article, 'articles'),
  new ModelAccessor(Country, 'countries'),
]

/** The name of users whom the campaign signs in: nobody may change or remove them. */
export const callerName = 'caller'

const read = ['reader', 'editor', 'operator']

/** Administrators look after the users of their tenant, operators after all, and neither touches those of the campaign. */
const looksAfter = (condition: Where<typeof User>) => {
  return ({ roles, tenant }: Principal) => {
    if (roles?.includes('operator')) return { id: { gt: 0 } }
    return roles?.includes('admin') ? { and: [condition, { tenant: String(tenant) }] } : false
  }
}

export const access = [
  defineAccess(User, { read: looksAfter({ id: { gt: 0 } }), all: looksAfter({ name: { ne: callerName } }) }),
  defineAccess(Author, { all: ['editor', 'operator'], read, fields: { salary: { read: 'editor', write: 'editor' } } }),
  defineAccess(Article, {
    all: ['editor', 'operator'],
    read: ['editor', 'operator', ({ roles }) => (roles?.includes('reader') ? { published: true } : false)],
  }),
  defineAccess(Country, { all: 'operator', read: ['editor', 'reader', 'operator'] }),
]
