import { quoteName } from './names.ts'

/** Statements whose answer is remembered: far more than a program's models and shapes need. */
const remembered = 2_000

/** Tables that hold their rows to tenants. */
export class HeldTables {
  readonly #names: readonly string[]
  readonly #known = new Map<string, boolean>()

  constructor(tables: Iterable<string>) {
    // Within quotes or without: a name that is part of another one costs some words too many.
    this.#names = [...tables].map((table) => quoteName(table).slice(1, -1))
  }

  /**
   * Whether one of the tables may be in a statement of the library's own, which names each that it reads. To the others nothing has to be
   * said; and where that were wrong, a policy that was told nothing shows nothing.
   */
  mayBeIn(sql: string): boolean {
    const known = this.#known.get(sql)
    if (known !== undefined) return known
    const found = this.#names.some((name) => sql.includes(name))
    if (this.#known.size >= remembered) this.#known.clear()
    this.#known.set(sql, found)
    return found
  }
}
