import { ConflictError } from '../../errors.ts'
import type { Field } from '../../model/model.ts'
import type { FieldValues } from '../../query/bound-table.ts'
import type { Session } from '../../session/session.ts'
import type { Task } from '../../session/task.ts'
import type { BoundAccessor, Link } from '../bound-accessor.ts'
import { importRecords, type WaitingReference } from '../import-records.ts'
import { restoreRecords } from '../restore.ts'
import { type RecordUpdate, updateAsked } from '../update.ts'
import { sameContent } from './diff.ts'

/** A record that goes back to an image of it. */
export interface BroughtBack {
  /** The record as it stands, deleted or not; undefined where it is gone. */
  readonly previous: FieldValues | undefined
  /** What it was: the fields that its image has. */
  readonly image: FieldValues
  /** Fields that stay as they are. */
  readonly kept: ReadonlySet<string>
}

/**
 * Makes records what they were: those that are gone come back at their ids, deleted ones are restored, and the others changed, each by
 * the verb that any write would use.
 * @param waiting takes references whose targets come later in the same unit; without it there are none
 */
export function* bringBack(
  bound: BoundAccessor,
  session: Session,
  records: readonly BroughtBack[],
  waiting?: { readonly mayWait: (link: Link) => boolean; readonly add: (references: readonly WaitingReference[]) => void },
): Task<void> {
  const gone = records.filter(({ previous }) => previous === undefined)
  const made = gone.map((record) => remade(bound, record))
  if (made.length > 0) {
    const outcome = yield* importRecords(bound, session, made, { upsert: false, mayWait: waiting?.mayWait ?? (() => false) })
    waiting?.add(outcome.waiting)
  }
  const deleted = records.filter(({ previous, image }) => isDeleted(bound, previous) && !isDeleted(bound, image))
  const contents = new Map(deleted.map((record) => [record.previous?.[bound.model.id.name], contentOf(bound, record)]))
  const previous = deleted.flatMap((record) => (record.previous ? [record.previous] : []))
  if (previous.length > 0) yield* restoreRecords(bound, session, previous, (row) => contents.get(row[bound.model.id.name]) ?? {})
  const updates = records.flatMap((record): RecordUpdate[] => {
    if (!record.previous || deleted.includes(record)) return []
    return [{ previous: record.previous, record: { ...record.previous, ...contentOf(bound, record) } }]
  })
  yield* updateAsked(bound, session, updates)
}

function isDeleted({ model: { deletedAt } }: BoundAccessor, record: FieldValues | undefined): boolean {
  return deletedAt !== undefined && record !== undefined && (record[deletedAt.name] ?? null) !== null
}

/** The fields that a record gets back: those that differ, are in the image, and can be known from it. */
export function contentOf(bound: BoundAccessor, { previous, image, kept }: BroughtBack): FieldValues {
  const content: FieldValues = {}
  for (const field of bound.model.fields) {
    if (!isContent(field) || kept.has(field.name) || !Object.hasOwn(image, field.name)) continue
    if (!sameContent(field, previous?.[field.name], image[field.name])) content[field.name] = image[field.name]
  }
  return content
}

function isContent({ role, secret, hidden }: Field): boolean {
  return role === 'data' && !secret && !hidden
}

/** A record that is gone, as it is made again: at its id, and made when and by whom it was made first. */
function remade(bound: BoundAccessor, { image }: BroughtBack): FieldValues {
  const { model, component } = bound
  const lost = model.fields.find(isLost)
  if (lost) {
    throw new ConflictError(
      'state_conflict',
      `${component} ${String(image[model.id.name])} was removed for good, and its ${lost.name} is secret and in no log. Make it anew.`,
      [lost.name],
    )
  }
  const record: FieldValues = {}
  for (const field of model.fields) {
    const { name, role } = field
    if (field.secret || field.hidden || role === 'updatedAt' || role === 'updatedBy' || !Object.hasOwn(image, name)) continue
    record[name] = image[name]
  }
  return record
}

/** A secret that a record needs, and that nobody knows any more. */
export function isLost({ secret, optional, makeDefault }: Field): boolean {
  return secret && !optional && makeDefault === undefined
}
