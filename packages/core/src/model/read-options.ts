import { DefinitionFault } from './definition-fault.ts'
import { stampNames } from './kept-names.ts'
import type { IdType, ModelOptions } from './model-options.ts'
import { suggestion } from './nearest-name.ts'
import { longestTextId } from './value-types/identifiers.ts'

/** The options of a model with everything filled in that was left out. */
export interface ReadOptions {
  readonly id: { readonly name: string; readonly type: IdType; readonly maxLength: number }
  readonly softDelete: boolean
  readonly stamps: Readonly<Record<StampKey, StampChoice>> | undefined
  readonly unique: readonly (readonly string[])[]
  readonly indexes: readonly (readonly string[])[]
  readonly secret: readonly string[]
  readonly readOnly: readonly string[]
  readonly immutable: readonly string[]
  readonly schemaVersion: number
  readonly transitions: Readonly<Record<string, unknown>>
  readonly tenant: string | undefined
  readonly renamedFrom: readonly string[]
  readonly renamedFields: ReadonlyMap<string, readonly string[]>
}

export type StampKey = keyof typeof stampNames

/** A stamp's name, and the Ref that it is instead of the actor's name. */
export interface StampChoice {
  readonly name: string
  readonly field: unknown
}

const optionNames = [
  'id',
  'softDelete',
  'stamps',
  'unique',
  'indexes',
  'secret',
  'readOnly',
  'immutable',
  'schemaVersion',
  'transitions',
  'tenant',
  'renamedFrom',
  'renamedFields',
]
const stampKeys = ['createdAt', 'updatedAt', 'createdBy', 'updatedBy'] as const

/** Checks the shape of the options and fills in what was left out. Throws a DefinitionFault. */
export function readOptions(options: unknown): ReadOptions {
  // Every member is checked below before it is used.
  const given: { readonly [Name in keyof ModelOptions]?: unknown } = readObject('options', options ?? {}, optionNames)
  return {
    id: readId(given.id),
    softDelete: readBoolean('softDelete', given.softDelete),
    stamps: readStamps(given.stamps),
    unique: readLists('unique', given.unique),
    indexes: readLists('indexes', given.indexes),
    secret: readNames('secret', given.secret),
    readOnly: readNames('readOnly', given.readOnly),
    immutable: readNames('immutable', given.immutable),
    schemaVersion: readCount('schemaVersion', given.schemaVersion, 1, Number.MAX_SAFE_INTEGER),
    transitions: readNamed('transitions', given.transitions),
    tenant: given.tenant === undefined ? undefined : readText('tenant', given.tenant, ''),
    renamedFrom: readOldNames('renamedFrom', given.renamedFrom),
    renamedFields: readRenamedFields(given.renamedFields),
  }
}

/** One name, or several. */
function readOldNames(what: string, value: unknown): readonly string[] {
  return typeof value === 'string' ? [value] : readNames(what, value)
}

function readRenamedFields(value: unknown): ReadonlyMap<string, readonly string[]> {
  if (value === undefined) return new Map()
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new DefinitionFault("option renamedFields must be an object with the old name of each renamed field: { full_name: 'name' }")
  return new Map(Object.entries(value).map(([name, old]) => [name, readOldNames(`renamedFields.${name}`, old)]))
}

function readObject(what: string, value: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new DefinitionFault(`${what} must be an object`)
  for (const [name, member] of Object.entries(value)) {
    if (known.includes(name) || member === undefined) continue
    throw new DefinitionFault(`${what} has an unknown member "${name}".${suggestion(name, known)} There are ${known.join(', ')}`)
  }
  return value as Readonly<Record<string, unknown>>
}

function readBoolean(what: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false
  throw new DefinitionFault(`option ${what} must be true or false`)
}

function readText(what: string, value: unknown, otherwise: string): string {
  if (value === undefined || typeof value === 'string') return value ?? otherwise
  throw new DefinitionFault(`option ${what} must be text`)
}

function readCount(what: string, value: unknown, otherwise: number, most: number): number {
  if (value === undefined) return otherwise
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= most) return value
  throw new DefinitionFault(`option ${what} must be a whole number from 1${most === Number.MAX_SAFE_INTEGER ? ' on' : ` to ${most}`}`)
}

function readId(value: unknown): ReadOptions['id'] {
  const given =
    typeof value === 'object' && value !== null ? readObject('option id', value, ['name', 'type', 'maxLength']) : { type: value }
  const { name, type = 'integer', maxLength }: { name?: unknown; type?: unknown; maxLength?: unknown } = given
  if (type !== 'integer' && type !== 'uuid' && type !== 'text')
    throw new DefinitionFault("option id must be 'integer', 'uuid', 'text', or an object with a name and one of these as type")
  if (maxLength !== undefined && type !== 'text') throw new DefinitionFault('option id.maxLength is for text ids')
  return { name: readText('id.name', name, 'id'), type, maxLength: readCount('id.maxLength', maxLength, longestTextId, longestTextId) }
}

function readStamps(value: unknown): ReadOptions['stamps'] {
  if (value === undefined || value === false) return undefined
  const given = value === true ? {} : readObject('option stamps', value, stampKeys)
  const choice = (key: StampKey): StampChoice => readStamp(key, Reflect.get(given, key))
  return { createdAt: choice('createdAt'), updatedAt: choice('updatedAt'), createdBy: choice('createdBy'), updatedBy: choice('updatedBy') }
}

function readStamp(key: StampKey, value: unknown): StampChoice {
  const what = `stamps.${key}`
  if (typeof value !== 'object' || value === null) return { name: readText(what, value, stampNames[key]), field: undefined }
  if (key === 'createdAt' || key === 'updatedAt') throw new DefinitionFault(`option ${what} must be text`)
  if ('~reference' in value) return { name: stampNames[key], field: value }
  const { name, field }: { name?: unknown; field?: unknown } = readObject(`option ${what}`, value, ['name', 'field'])
  if (typeof field !== 'object' || field === null)
    throw new DefinitionFault(`option ${what} must be a name, or an object with a name and a Ref as field`)
  return { name: readText(`${what}.name`, name, stampNames[key]), field }
}

/** Something for each of some fields, which is looked at when they are known. */
function readNamed(what: string, value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new DefinitionFault(`option ${what} must be an object with an entry for each field`)
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined))
}

function readNames(what: string, value: unknown): readonly string[] {
  if (value === undefined) return []
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string'))
    throw new DefinitionFault(`option ${what} must be a list of field names`)
  return value
}

function readLists(what: string, value: unknown): readonly (readonly string[])[] {
  if (value === undefined) return []
  if (!Array.isArray(value) || !value.every(Array.isArray))
    throw new DefinitionFault(`option ${what} must be a list of lists of field names: [['email']]`)
  return value.map((names) => readNames(what, names))
}
