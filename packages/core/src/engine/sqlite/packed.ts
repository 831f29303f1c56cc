import type { StoredRow } from '../engine.ts'

// Between threads each object is described by itself, and each array of bytes has memory of its own: a list takes a tenth of that (measured).

/** Rows of one statement on their way to another thread. */
export interface PackedRows {
  readonly names: readonly string[]
  /** The values of all rows, one row after the other. */
  readonly values: readonly unknown[]
}

export function packRows(rows: readonly StoredRow[]): PackedRows {
  const [first] = rows
  if (!first) return { names: [], values: [] }
  const names = Object.keys(first)
  const values: unknown[] = []
  for (const row of rows) for (const name of names) values.push(row[name])
  return { names, values }
}

export function unpackRows({ names, values }: PackedRows): StoredRow[] {
  const rows: StoredRow[] = []
  for (let at = 0; at < values.length; at += names.length) {
    const row: StoredRow = {}
    for (let index = 0; index < names.length; index++) row[names[index] ?? ''] = values[at + index]
    rows.push(row)
  }
  return rows
}

/** The same parameters, with all bytes in one place. */
export function packParameters(parameters: readonly unknown[]): readonly unknown[] {
  let bytes = 0
  for (const value of parameters) if (value instanceof Uint8Array) bytes += value.length
  if (bytes === 0) return parameters
  const place = new Uint8Array(bytes)
  let at = 0
  return parameters.map((value) => {
    if (!(value instanceof Uint8Array)) return value
    place.set(value, at)
    at += value.length
    return place.subarray(at - value.length, at)
  })
}
