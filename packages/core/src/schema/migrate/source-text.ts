/** A piece of a program that stands where a value would. */
export class SourceText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Characters of a line. */
const width = 120

/** A value as it is written in a program: short ones on one line. */
export function literalText(value: unknown, indent = '  '): string {
  if (value instanceof SourceText) return value.text
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const parts = Array.isArray(value)
    ? value.map((item) => literalText(item, `${indent}  `))
    : Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([name, member]) => `${/^[a-z_$][\w$]*$/i.test(name) ? name : quoted(name)}: ${literalText(member, `${indent}  `)}`)
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  if (parts.length === 0) return `${open}${close}`
  const pad = Array.isArray(value) ? '' : ' '
  const line = `${open}${pad}${parts.join(', ')}${pad}${close}`
  if (!line.includes('\n') && indent.length + line.length <= width) return line
  return `${open}\n${parts.map((part) => `${indent}  ${part},`).join('\n')}\n${indent}${close}`
}

function quoted(text: string): string {
  const json = JSON.stringify(text)
  // Separators of lines are none inside of a text in JSON, and are in a program.
  const safe = json.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
  return safe.includes("'") ? safe : `'${safe.slice(1, -1).replaceAll('\\"', '"')}'`
}
