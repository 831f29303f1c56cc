/** What is known of a record that was read. */
export interface KnownRecord {
  /** The id as it stands in a path, decoded. */
  readonly id: string
  readonly etag: string | undefined
}

const known = new WeakMap<object, KnownRecord>()

/** Keeps the id and ETag of a record beside it, as long as the record is used. A part of a record has no ETag. */
export function remember<Row extends object>(record: Row, id: string, etag: string | null): Row {
  // A proxy that compresses answers makes their tags weak; the version that they name is the same.
  if (etag !== null) known.set(record, { id, etag: etag.replace(/^W\//, '') })
  return record
}

/**
 * The ETag of a record that `get`, `create`, `save`, `update`, `refresh` or `remove` answered, as it stands in `If-Match`. Undefined for records of
 * lists, for those read with `fields` or `include`, and for copies.
 *
 * @example
 * const user = await client.users.get(7)
 * if (user) await client.users.update(7, { name: 'Ada' }, { ifMatch: etagOf(user) })
 */
export function etagOf(record: object): string | undefined {
  return known.get(record)?.etag
}

/** The id, and of a record its ETag. Throws TypeError for a record whose ETag is not known: a lost update would go unnoticed. */
export function recall(target: string | number | object): KnownRecord {
  if (typeof target !== 'object') return { id: String(target), etag: undefined }
  const record = known.get(target)
  if (record) return record
  throw new TypeError(
    'This record was not read whole by get, or answered by a write. Give its id, and { ifMatch } where no change may be lost.',
  )
}
