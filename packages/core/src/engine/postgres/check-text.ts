/** A piece of an expression as `pg_get_constraintdef` writes it: https://www.postgresql.org/docs/current/functions-info.html. */
const pattern =
  /(?<space>\s+)|'(?<text>(?:[^']|'')*)'|"(?<name>(?:[^"]|"")*)"|(?<cast>::(?:double precision|character varying|timestamp with time zone|[a-z_][a-z0-9_]*)(?:\(\d+\))?(?:\[\])?)|(?<collate>COLLATE\s+"(?:[^"]|"")*")|(?<number>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)|(?<word>[A-Za-z_][A-Za-z0-9_$]*)|(?<sign>[\s\S])/gy

/**
 * The values that a CHECK of a column allows: `CHECK ((role = ANY (ARRAY['admin'::text, 'operator'::text])))`, or `CHECK ((n = 1))`.
 * Undefined for a CHECK that says anything else.
 */
export function valuesOfCheck(text: string, column: string): readonly (string | number)[] | undefined {
  const words: { readonly kind: string; readonly value: string }[] = []
  for (const { groups = {} } of text.matchAll(pattern)) {
    const [kind, value] = Object.entries(groups).find(([, found]) => found !== undefined) ?? ['sign', '']
    if (kind === 'space' || kind === 'cast' || kind === 'collate') continue
    // Parentheses stand around values and comparisons alike; no other grouping can be meant in what is let through below.
    if (kind === 'sign' && (value === '(' || value === ')')) continue
    words.push({ kind, value: String(value) })
  }
  const [check, name, equals, ...rest] = words
  if (check?.value !== 'CHECK' || equals?.value !== '=' || equals.kind !== 'sign') return undefined
  if (name === undefined || !['name', 'word'].includes(name.kind) || name.value.replaceAll('""', '"') !== column) return undefined
  const isList = rest[0]?.value === 'ANY' && rest[1]?.value === 'ARRAY' && rest[2]?.value === '[' && rest.at(-1)?.value === ']'
  const listed = isList ? rest.slice(3, -1) : rest
  const values: (string | number)[] = []
  for (const [index, { kind, value }] of listed.entries()) {
    if (index % 2 === 1) {
      if (kind !== 'sign' || value !== ',') return undefined
    } else if (kind === 'text') values.push(value.replaceAll("''", "'"))
    else if (kind === 'number') values.push(Number(value))
    else return undefined
  }
  return values.length > 0 && (isList || values.length === 1) ? values : undefined
}

export function isValueList(text: string, column: string): boolean {
  return valuesOfCheck(text, column) !== undefined
}
