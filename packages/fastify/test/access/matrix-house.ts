import { defineAccess, defineModel, ModelAccessor, type Principal, Ref } from '@strongroom/core'
import { Type } from 'typebox'

/*
 * Every value of every field of every record is a text that stands nowhere else, so that an answer shows where each of its parts is from.
 */

export const Folder = defineModel(
  'folders',
  { org: Type.String({ maxLength: 20 }), title: Type.String(), owner: Type.String() },
  { id: 'text', tenant: 'org' },
)
export const Paper = defineModel(
  'papers',
  {
    org: Type.String({ maxLength: 20 }),
    title: Type.String(),
    owner: Type.String(),
    cost: Type.String(),
    remark: Type.String(),
    token: Type.String(),
    folder_id: Ref(() => Folder, { onDelete: 'cascade' }),
  },
  { id: 'text', tenant: 'org', softDelete: true, secret: ['token'] },
)

const owns = ({ id }: Principal) => ({ owner: String(id) })
const inFolder = ({ id }: Principal) => ({ linked: { folder: { owner: String(id) } } })

/** What the server is told. */
export const access = [
  defineAccess(Folder, { read: ['admin', owns], create: 'admin', update: 'admin', delete: 'admin' }),
  defineAccess(Paper, {
    read: ['admin', 'reader', owns, inFolder],
    create: ['admin', owns],
    update: ['admin', owns],
    delete: 'admin',
    restore: 'admin',
    fields: { cost: { read: ['admin', 'accountant'] }, remark: { write: 'admin' } },
  }),
]

export type Operation = 'read' | 'create' | 'update' | 'delete' | 'restore' | 'purge'

export interface Person {
  readonly name: string
  readonly org: string | undefined
  readonly roles: readonly string[]
}

export const people: readonly Person[] = ['red', 'blue'].flatMap((org) => [
  { name: `${org}-admin`, org, roles: ['admin'] },
  { name: `${org}-reader`, org, roles: ['reader'] },
  { name: `${org}-ann`, org, roles: ['member', 'accountant'] },
  { name: `${org}-bob`, org, roles: ['member'] },
])
/** Somebody who has a login and belongs nowhere. */
export const stray: Person = { name: 'stray', org: undefined, roles: ['admin', 'accountant'] }

/** Whoever may ask, nobody in particular included. */
export const everybody: readonly (Person | undefined)[] = [...people, stray, undefined]

export interface PaperRecord {
  readonly id: string
  readonly org: string
  readonly owner: string
  readonly folderOwner: string
  readonly deleted: boolean
}

const owners = ['ann', 'bob']

export const folders = ['red', 'blue'].flatMap((org) =>
  owners.map((owner) => ({ id: `folder-${org}-${owner}`, org, owner: `${org}-${owner}` })),
)

export const papers: readonly PaperRecord[] = ['red', 'blue'].flatMap((org) =>
  owners.flatMap((owner) =>
    owners.flatMap((folderOwner) =>
      [false, true].map((deleted) => ({
        id: `paper-${org}-${owner}-${folderOwner}-${deleted ? 'gone' : 'live'}`,
        org,
        owner: `${org}-${owner}`,
        folderOwner: `${org}-${folderOwner}`,
        deleted,
      })),
    ),
  ),
)

/** Was removed for good. */
export const gone: PaperRecord = { id: 'paper-red-gone', org: 'red', owner: 'red-ann', folderOwner: 'red-bob', deleted: true }

/** The value that a field of a record has, and nothing else. */
export function canary(id: string, field: string): string {
  return `<${id}:${field}>`
}

export const markedFields = ['title', 'cost', 'remark', 'token'] as const

/** What the rules mean, said once more and otherwise. */
export function mayDo(person: Person | undefined, operation: Operation, paper: PaperRecord): boolean {
  if (!person || person.org !== paper.org) return false
  if (operation === 'purge') return false
  if (person.roles.includes('admin')) return true
  const own = paper.owner === person.name
  if (operation === 'read') return person.roles.includes('reader') || own || paper.folderOwner === person.name
  return operation === 'update' && own
}

/** Whether there is any record with which somebody may do this. */
export function mayDoAny(person: Person | undefined, operation: Operation): boolean {
  return (
    operation !== 'purge' && person !== undefined && (person.roles.includes('admin') || ['read', 'create', 'update'].includes(operation))
  )
}

export function maySee(person: Person, field: (typeof markedFields)[number]): boolean {
  if (field === 'token') return false
  return field !== 'cost' || person.roles.includes('admin') || person.roles.includes('accountant')
}

export function mayRead(person: Person | undefined, folder: { readonly org: string; readonly owner: string }): boolean {
  return person !== undefined && person.org === folder.org && (person.roles.includes('admin') || folder.owner === person.name)
}

export function accessors() {
  return { folderAccessor: new ModelAccessor(Folder, 'folders'), paperAccessor: new ModelAccessor(Paper, 'papers') }
}
