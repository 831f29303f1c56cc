/** A fenced block of code on a page of the docs. */
export interface DocBlock {
  /** e.g. `ts`; empty where the fence names none. */
  readonly language: string
  /** The words after the language: they say how the block is run. */
  readonly words: readonly string[]
  readonly code: string
  /** The line of the opening fence, counted from 1. */
  readonly line: number
}

/** A program of a page: its TypeScript blocks in order, up to the next one that begins anew. */
export interface DocProgram {
  readonly code: string
  /** The line of the first block. */
  readonly line: number
  /** Runs until it is stopped; the page's commands talk to it. */
  readonly server: boolean
  /** Is given the URL of an empty PostgreSQL database in DATABASE_URL. */
  readonly postgres: boolean
  /** Commands and calls that follow the program, in order, with the answers that the page shows. */
  readonly calls: readonly DocCall[]
}

/** A block in another language that is run against the program before it. */
export interface DocCall {
  readonly language: string
  readonly code: string
  readonly line: number
  /** What the page shows as the answer: a JSON block that follows. */
  readonly answer: string | undefined
}

const fence = /^(?<ticks>`{3,})(?<info>[^`\n]*)\n(?<code>(?:.*\n)*?)\k<ticks> *$/gm

/** Finds the fenced blocks of a Markdown page. */
export function docBlocks(markdown: string): DocBlock[] {
  return [...markdown.matchAll(fence)].map((match) => {
    const [language = '', ...words] = (match.groups?.['info'] ?? '').trim().split(/\s+/)
    return { language, words, code: match.groups?.['code'] ?? '', line: markdown.slice(0, match.index).split('\n').length }
  })
}

const tsWords = new Set(['new', 'server', 'postgres'])

/**
 * Puts a page's blocks together. All ```ts blocks are one program, unless one says `new`, `server` (it keeps running) or
 * `postgres` (it is given a database), which begins another. ```sh and ```python blocks are run against the program before
 * them; a ```json block after such a block is the answer that it must get.
 *
 * @throws Error for a word that means nothing
 */
export function docPrograms(blocks: readonly DocBlock[]): { programs: DocProgram[]; loose: DocCall[] } {
  const programs: { code: string; line: number; server: boolean; postgres: boolean; calls: DocCall[] }[] = []
  const loose: DocCall[] = []
  for (const [index, block] of blocks.entries()) {
    const current = programs.at(-1)
    if (block.language === 'ts') {
      const unknown = block.words.find((word) => !tsWords.has(word))
      if (unknown !== undefined)
        throw new Error(`Line ${block.line}: "${unknown}" says nothing about a ts block; there are ${[...tsWords].join(', ')}.`)
      if (current && block.words.length === 0) current.code += block.code
      else {
        const { code, line, words } = block
        programs.push({ code, line, server: words.includes('server'), postgres: words.includes('postgres'), calls: [] })
      }
    }
    if (block.language !== 'sh' && block.language !== 'python') continue
    const next = blocks[index + 1]
    const call = { language: block.language, code: block.code, line: block.line, answer: next?.language === 'json' ? next.code : undefined }
    if (current?.server) current.calls.push(call)
    else loose.push(call)
  }
  return { programs, loose }
}

/** The lines that a program promises to print: `console.log(…) // this`. */
export function promisedLines(code: string): string[] {
  return [...code.matchAll(/^\s*(?:for await \(.*\) )?console\.log\(.*\) \/\/ (.+)$/gm)].map((match) => match[1] ?? '')
}

/** The promised lines that are not among the printed ones, in their order. */
export function brokenPromises(code: string, output: string): string[] {
  const printed = output.split('\n')
  let from = 0
  return promisedLines(code).filter((line) => {
    const at = printed.indexOf(line, from)
    if (at >= 0) from = at + 1
    return at < 0
  })
}

/** Whether an answer is the one that a page shows, in which the text "…" stands for any value. */
export function isAnswer(shown: unknown, actual: unknown): boolean {
  if (shown === '…') return true
  if (typeof shown !== 'object' || shown === null || typeof actual !== 'object' || actual === null) return shown === actual
  if (Array.isArray(shown) !== Array.isArray(actual)) return false
  const keys = Object.keys(shown)
  if (keys.length !== Object.keys(actual).length) return false
  // both are objects, whose entries may be anything
  return keys.every(
    (key) => Object.hasOwn(actual, key) && isAnswer((shown as Record<string, unknown>)[key], (actual as Record<string, unknown>)[key]),
  )
}
