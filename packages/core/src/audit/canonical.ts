/**
 * JSON in the one form that RFC 8785 (JSON Canonicalization Scheme) allows: members sorted by UTF-16 code units, no white space.
 * ECMAScript's own JSON text of a string or number is the canonical one; text with lone surrogates was refused long before.
 *
 * @example canonicalJson({ b: 1, a: 'x' }) // '{"a":"x","b":1}'
 * @see https://www.rfc-editor.org/rfc/rfc8785
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`
  // Plain data by contract: what reaches the log has passed validation.
  const members = value as Readonly<Record<string, unknown>>
  const names = Object.keys(members).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalJson(members[name])}`).join()}}`
}
