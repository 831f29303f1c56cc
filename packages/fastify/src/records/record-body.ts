import { isDeepStrictEqual } from 'node:util'
import { type AnyModel, type Field, recordFromJson, StrongroomError, ValidationError, type ValidationIssue } from '@strongroom/core'
import { isMerged, isObject } from './merge-patch.ts'
import type { Row } from './record-room.ts'

/** Reads a record to insert. `place` stands before the names of fields in issues: `2.` for the third of several. */
export function newRecord(model: AnyModel, body: unknown, place = ''): Record<string, unknown> {
  const { record, owned, issues } = recordFromJson(model, body, 'insert')
  refuse([...issues, ...Object.keys(owned).map((name) => ownedIssue(model, name))], place)
  return record
}

/** Reads records to insert, and finds fault with all of them at once, until that is enough. */
export function newRecords(model: AnyModel, bodies: readonly unknown[]): Record<string, unknown>[] {
  if (bodies.length > mostRecords) {
    throw new StrongroomError('payload_too_large', `An array inserts at most ${mostRecords} records. Send them in several requests.`)
  }
  const records: Record<string, unknown>[] = []
  const issues: ValidationIssue[] = []
  for (const [index, body] of bodies.entries()) {
    try {
      records.push(newRecord(model, body, `${index}.`))
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error
      issues.push(...error.issues)
      if (issues.length >= mostIssues) break
    }
  }
  refuse(issues, '')
  return records
}

/** More are of no use to anybody. */
const mostIssues = 100

/** Records that one array may insert: they are one transaction, and SQLite serves nobody else meanwhile: about a quarter of a second for so many. */
export const mostRecords = 10_000

/** Reads a record to insert at the id of the path; an id in the body must be the same. */
export function newRecordAt(model: AnyModel, id: unknown, body: unknown): Record<string, unknown> {
  const { name } = model.id
  const { record, owned, issues } = recordFromJson(model, body, 'insert')
  const strangers = Object.keys(owned).filter((key) => key !== name)
  const given = { ...owned, ...record }[name]
  const idIssues = given === undefined || model.id.normalise(given) === id ? [] : [idIssue(name)]
  refuse([...issues, ...idIssues, ...strangers.map((key) => ownedIssue(model, key))], '')
  return { ...record, [name]: id }
}

/** Reads the fields that a request changes in a record as it stands. Server-owned fields are accepted as they stand. */
export function changesOf(model: AnyModel, current: Row, body: unknown): Record<string, unknown> {
  const { record, owned, issues } = recordFromJson(model, body, 'update')
  const changed = Object.entries(owned).filter(([name, value]) => !isUnchanged(model.fieldsByName.get(name), value, current[name]))
  refuse([...issues, ...changed.map(([name]) => (name === model.id.name ? idIssue(name) : ownedIssue(model, name)))], '')
  return record
}

/**
 * The same, where nothing in the body depends on the record as it stands or is to be refused: the database then need not hand it out first.
 * Undefined otherwise.
 */
export function plainChangesOf(model: AnyModel, body: unknown): Record<string, unknown> | undefined {
  const { record, owned, issues } = recordFromJson(model, body, 'update')
  return issues.length === 0 && Object.keys(owned).length === 0 ? record : undefined
}

/** Refuses a patch for many records that would fit none of them. Objects for JSON fields are merged first, and judged record by record. */
export function checkSharedPatch(model: AnyModel, body: unknown): void {
  const plain = isObject(body) ? Object.fromEntries(Object.entries(body).filter(([name, value]) => !isMerged(model, name, value))) : body
  const { owned, issues } = recordFromJson(model, plain, 'update')
  refuse([...issues, ...Object.keys(owned).map((name) => ownedIssue(model, name))], '')
}

/** Reads a record that takes the place of one; what a request may not set stays as it is. */
export function replacementOf(model: AnyModel, current: Row, body: unknown): Record<string, unknown> {
  const record = changesOf(model, current, body)
  for (const { name, readOnly } of model.fields) if (readOnly) record[name] = current[name]
  return record
}

function isUnchanged(field: Field | undefined, given: unknown, current: unknown): boolean {
  if (!field) return false
  if (given === null || current === null) return given === current
  return field.check(given) === undefined && isDeepStrictEqual(field.toJson(field.normalise(given)), field.toJson(current))
}

function ownedIssue(model: AnyModel, name: string): ValidationIssue {
  const field = model.fieldsByName.get(name)
  if (field?.role === 'id') return { path: name, message: 'is given by the server; leave it out' }
  if (field?.readOnly) return { path: name, message: 'cannot be set by a request; leave it out or send it back unchanged' }
  if (field?.immutable) return { path: name, message: 'can only be set when the record is made' }
  return { path: name, message: 'is kept by the server; leave it out or send it back unchanged' }
}

function idIssue(name: string): ValidationIssue {
  return { path: name, message: 'is another id than that of the path' }
}

function refuse(issues: readonly ValidationIssue[], place: string): void {
  if (issues.length === 0) return
  throw new ValidationError(
    place === '' ? issues : issues.map(({ path, message }) => ({ path: path === '' ? place.slice(0, -1) : `${place}${path}`, message })),
  )
}
