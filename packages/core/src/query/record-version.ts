import type { FieldValues } from './bound-table.ts'

/** Answers the object that it is given: a class that extends this one gives its private fields to objects of any make. */
class Given {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: that is what it is for
    return object
  }
}

/**
 * The row_version of records that were read or written one by one. It is no field: nobody filters, copies or writes it. It stands in the record
 * itself, where nothing but this class finds it: a map with weak keys cost the collector of garbage a third of an insert (measured).
 */
class Versioned extends Given {
  #version: string | undefined

  static note(record: object, version: string): void {
    const versioned = #version in record ? record : new Versioned(record)
    versioned.#version = version
  }

  static of(record: object): string | undefined {
    return #version in record ? record.#version : undefined
  }

  static forget(record: object): void {
    if (#version in record) record.#version = undefined
  }
}

/** Notes which version of its row a record shows. */
export function noteVersion(record: FieldValues, version: string): void {
  Versioned.note(record, version)
}

/** What a dry run answers, a record or several, shows versions that nobody will find. */
export function forgetVersions(result: unknown): void {
  for (const record of Array.isArray(result) ? result : [result])
    if (typeof record === 'object' && record !== null) Versioned.forget(record)
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
  return record === null ? undefined : Versioned.of(record)
}

/** Lets a copy of a record show the same version. */
export function copyVersion<Record extends FieldValues>(from: FieldValues, to: Record): Record {
  const version = Versioned.of(from)
  if (version !== undefined) Versioned.note(to, version)
  return to
}
