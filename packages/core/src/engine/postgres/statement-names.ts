import { createHash } from 'node:crypto'

/** Statements that are remembered; far more than a program's models and shapes need. */
const remembered = 2_000

/** Characters; longer ones are batches of many sizes, which seldom come back in exactly the same shape. */
const longest = 10_000

/**
 * Gives a statement the name under which connections keep it prepared, so that the server parses it once for each.
 * A statement gets its name when it comes back: what is asked once is not worth a place in every connection's memory.
 */
export class StatementNames {
  readonly #names = new Map<string, string | null>()

  nameOf(sql: string): string | undefined {
    const known = this.#names.get(sql)
    if (known) return known
    if (sql.length > longest) return undefined
    if (known === undefined) {
      if (this.#names.size >= remembered) this.#names.clear()
      this.#names.set(sql, null)
      return undefined
    }
    const name = `s_${createHash('sha256').update(sql).digest('base64url').slice(0, 22)}`
    this.#names.set(sql, name)
    return name
  }
}
