import type { FieldValues } from './bound-table.ts'

/** The row_version of records that were read or written one by one. It is no field: nobody filters, copies or writes it. */
const versions = new WeakMap<object, string>()

/** Notes which version of its row a record shows. */
export function noteVersion(record: FieldValues, version: string): void {
  versions.set(record, version)
}

/** What a dry run answers, a record or several, shows versions that nobody will find. */
export function forgetVersions(result: unknown): void {
  for (const record of Array.isArray(result) ? result : [result]) if (typeof record === 'object' && record !== null) versions.delete(record)
}

/**
 * The version of a record: random text that is fresh with each write, for `ifMatch` and the ETag. Known for records that `get`
 * (without `fields` or `include`) or a write answered; undefined for those of lists, of a dry run, and for copies.
 *
 * @example
 * const user = await users.get(7)
 * await users.update(7, { name: 'Alice' }, { ifMatch: versionOf(user) })
 */
export function versionOf(record: object | null): string | undefined {
  return record === null ? undefined : versions.get(record)
}

/** Lets a copy of a record show the same version. */
export function copyVersion<Record extends FieldValues>(from: FieldValues, to: Record): Record {
  const version = versions.get(from)
  if (version !== undefined) versions.set(to, version)
  return to
}
