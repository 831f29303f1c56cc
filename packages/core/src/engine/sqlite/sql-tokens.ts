/** A piece of SQL that means something; white space and comments are none. */
export interface Token {
  readonly kind: 'word' | 'name' | 'text' | 'number' | 'sign'
  /** What it says: a name or text without its quotes, a word as it stands. */
  readonly value: string
  /** Where it stands. */
  readonly start: number
  readonly end: number
}

/** https://www.sqlite.org/lang_keywords.html: a text in double quotes, brackets or grave accents is a name. */
const pattern =
  /(?<space>\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))|'(?<text>(?:[^']|'')*)'|"(?<quoted>(?:[^"]|"")*)"|\[(?<bracketed>[^\]]*)\]|`(?<accented>(?:[^`]|``)*)`|(?<number>\d+(?:\.\d*)?(?:e[+-]?\d+)?)|(?<word>[\p{L}_$][\p{L}\p{N}_$]*)|(?<sign>[\s\S])/giuy

/** Takes SQL as SQLite keeps it apart. */
export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = []
  for (const match of sql.matchAll(pattern)) {
    const token = tokenOf(match.groups ?? {})
    if (token) tokens.push({ ...token, start: match.index, end: match.index + match[0].length })
  }
  return tokens
}

function tokenOf(found: Readonly<Record<string, string | undefined>>): Pick<Token, 'kind' | 'value'> | undefined {
  const { text, quoted, bracketed, accented, number, word, sign } = found
  if (text !== undefined) return { kind: 'text', value: text.replaceAll("''", "'") }
  if (quoted !== undefined) return { kind: 'name', value: quoted.replaceAll('""', '"') }
  if (bracketed !== undefined) return { kind: 'name', value: bracketed }
  if (accented !== undefined) return { kind: 'name', value: accented.replaceAll('``', '`') }
  if (number !== undefined) return { kind: 'number', value: number }
  if (word !== undefined) return { kind: 'word', value: word }
  return sign === undefined ? undefined : { kind: 'sign', value: sign }
}

/** Reads tokens from left to right. */
export class TokenReader {
  readonly #tokens: readonly Token[]
  #next = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get atEnd(): boolean {
    return this.#next >= this.#tokens.length
  }

  peek(): Token | undefined {
    return this.#tokens[this.#next]
  }

  take(): Token | undefined {
    return this.#tokens[this.#next++]
  }

  /** Takes these words or signs, all or none. */
  takes(...values: readonly string[]): boolean {
    const matches = values.every((value, index) => {
      const token = this.#tokens[this.#next + index]
      return token !== undefined && token.kind !== 'name' && token.kind !== 'text' && token.value.toUpperCase() === value
    })
    if (matches) this.#next += values.length
    return matches
  }

  /** Takes a name, quoted or not. */
  takeName(): string | undefined {
    const token = this.peek()
    if (token?.kind !== 'name' && token?.kind !== 'word') return undefined
    this.#next++
    return token.value
  }

  /** Takes what stands in parentheses, which have to come now. */
  takeGroup(): readonly Token[] | undefined {
    if (!this.takes('(')) return undefined
    const start = this.#next
    for (let depth = 1; !this.atEnd; ) {
      const token = this.take()
      if (token?.kind !== 'sign') continue
      if (token.value === '(') depth++
      if (token.value === ')') depth--
      if (depth === 0) return this.#tokens.slice(start, this.#next - 1)
    }
    return undefined
  }
}

/** Tokens between commas that stand in no parentheses. */
export function splitAtCommas(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (token.kind === 'sign' && token.value === '(') depth++
    if (token.kind === 'sign' && token.value === ')') depth--
    if (depth === 0 && token.kind === 'sign' && token.value === ',') parts.push([])
    else parts.at(-1)?.push(token)
  }
  return parts
}
