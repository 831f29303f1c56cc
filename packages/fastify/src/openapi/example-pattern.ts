/** What is left of a pattern that is being read. */
interface Reader {
  readonly source: string
  /** How often something is repeated that may be there any number of times. */
  readonly least: number
  place: number
}

const classes: Readonly<Record<string, string>> = { d: '1', D: 'a', w: 'a', W: '-', s: ' ', S: 'a', t: '\t', n: '\n', b: '', B: '' }

/**
 * A text that the pattern probably matches: the first of alternatives, the first character of a class. Undefined for patterns that
 * ask for more than that. `least`: how often to repeat what may be repeated.
 */
export function samplePattern(source: string, least: number): string | undefined {
  const reader: Reader = { source, least, place: 0 }
  try {
    const text = alternatives(reader)
    return reader.place === source.length && new RegExp(source, 'u').test(text) ? text : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function alternatives(reader: Reader): string {
  let first: string | undefined
  do {
    const text = sequence(reader)
    first ??= text
  } while (taken(reader, '|'))
  return first
}

function sequence(reader: Reader): string {
  let text = ''
  while (reader.place < reader.source.length && !'|)'.includes(peek(reader))) {
    const part = atom(reader)
    text += part.repeat(times(reader))
  }
  return text
}

function atom(reader: Reader): string {
  const character = next(reader)
  switch (character) {
    case '^':
    case '$':
      return ''
    case '.':
      return 'a'
    case '\\':
      return escaped(reader)
    case '[':
      return characterClass(reader)
    case '(':
      return group(reader)
    default:
      return character
  }
}

function group(reader: Reader): string {
  const kind = /^\?(:|<\w+>|<?[=!])/.exec(reader.source.slice(reader.place))?.[0] ?? ''
  reader.place += kind.length
  const text = alternatives(reader)
  if (!taken(reader, ')')) throw new SyntaxError('a group without an end')
  // What has to stand before or behind takes no room.
  return /[=!]$/.test(kind) ? '' : text
}

function escaped(reader: Reader): string {
  const character = next(reader)
  if (character === 'p' || character === 'P') {
    const [name = ''] = /^\{[^}]*\}/.exec(reader.source.slice(reader.place)) ?? []
    reader.place += name.length
    return name.includes('N') ? '1' : name.includes('u') ? 'A' : 'a'
  }
  if (character === 'x' || character === 'u') {
    const [code = ''] = /^(?:[0-9a-f]{4}|[0-9a-f]{2})/i.exec(reader.source.slice(reader.place)) ?? []
    reader.place += code.length
    return String.fromCharCode(Number.parseInt(code, 16))
  }
  return classes[character] ?? character
}

function characterClass(reader: Reader): string {
  const start = reader.place
  const negated = taken(reader, '^')
  let first: string | undefined
  while (peek(reader) !== ']' || reader.place === start + Number(negated)) {
    const character = next(reader)
    const text = character === '\\' ? escaped(reader) : character
    first ??= text
    if (reader.place >= reader.source.length) throw new SyntaxError('a class without an end')
  }
  reader.place++
  if (!negated) return first ?? ''
  const expression = new RegExp(reader.source.slice(start - 1, reader.place), 'u')
  return ['a', 'A', '1', '-', ' ', 'z'].find((candidate) => expression.test(candidate)) ?? ''
}

function times(reader: Reader): number {
  const found = /^(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??/.exec(reader.source.slice(reader.place))
  if (!found) return 1
  reader.place += found[0].length
  const [, low, comma, high] = found
  if (low === undefined)
    return found[0].startsWith('+') ? Math.max(1, reader.least) : found[0].startsWith('?') ? Math.min(1, reader.least) : reader.least
  const most = comma === undefined ? Number(low) : high === '' || high === undefined ? Number.POSITIVE_INFINITY : Number(high)
  return Math.min(Math.max(Number(low), reader.least), most)
}

function peek({ source, place }: Reader): string {
  return source.charAt(place)
}

function next(reader: Reader): string {
  if (reader.place >= reader.source.length) throw new SyntaxError('a pattern that ends too early')
  return reader.source.charAt(reader.place++)
}

function taken(reader: Reader, character: string): boolean {
  if (peek(reader) !== character) return false
  reader.place++
  return true
}
