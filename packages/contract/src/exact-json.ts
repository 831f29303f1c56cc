/** A whole number in a JSON text that reading would change. */
export interface InexactNumber {
  /** The member or place that has it, without those around it; empty for the text as a whole. */
  readonly key: string
  /** As it was written. */
  readonly source: string
}

/** What a JSON text says. */
export interface ReadJson {
  readonly value: unknown
  readonly inexact: readonly InexactNumber[]
}

/**
 * Reads JSON as JSON.parse does, and tells which whole numbers became other ones. One that JavaScript writes like that is none of them: it comes back as it came.
 *
 * @throws SyntaxError for what is no JSON
 * @example readJson('{"a":9007199254740993}') // { value: { a: 9007199254740992 }, inexact: [{ key: 'a', source: '9007199254740993' }] }
 */
export function readJson(text: string): ReadJson {
  // Numbers that long are rare, and reading with a function in between is slow.
  if (!/[1-9]\d{15}/.test(text)) return { value: JSON.parse(text), inexact: [] }
  const inexact: InexactNumber[] = []
  const note: Reviver = (key, value, { source }) => {
    if (typeof value === 'number' && isInexact(value, source)) inexact.push({ key, source })
    return value
  }
  return { value: JSON.parse(text, note as (key: string, value: unknown) => unknown), inexact }
}

/** JSON.parse tells the text of each number (ES2025), which TypeScript does not know yet. */
type Reviver = (key: string, value: unknown, context: { readonly source: string }) => unknown

function isInexact(value: number, source: string): boolean {
  if (!/^-?\d{16,}$/.test(source) || String(value) === source) return false
  return !Number.isFinite(value) || BigInt(value) !== BigInt(source)
}
