import type { Connection } from './engine.ts'

/** What is put off until the commit, or until somebody has to find it in the database. */
export interface LateWork {
  /** What stands for it meanwhile. */
  readonly value: unknown
  /** Rows that wait to be inserted. */
  readonly rows: readonly unknown[]
  /** Which tables that is about: whoever asks for them finds it written. */
  readonly tables: readonly string[]
  /** Writes all of it; every answer is there at once. */
  readonly write: (connection: Connection) => void
}

/** A value that was committed, and the version of the database at that. */
interface Kept {
  readonly value: unknown
  readonly version: number
}

const none: readonly unknown[] = []

export interface LateWriteOptions {
  /** A number that is another one in the open transaction when somebody else has committed anything since an earlier one. */
  readonly version: () => number
}

/**
 * What each unit of a transaction adds to or changes once more, and what is written for all of them together, before their commit: the entries of the
 * audit log, by a few statements, and where it stands, by one. It is rolled back with what was done. What was committed need not be read again while nobody else has committed anything: to
 * read it and take it apart costs a write as much as its hashes.
 */
export class LateWrite {
  readonly #options: LateWriteOptions
  #noted: LateWork | undefined
  #savepoints: { readonly name: string; readonly noted: LateWork | undefined }[] = []
  #kept: Kept | undefined
  /** Becomes `#kept` with the commit. */
  #settled: Kept | undefined
  /** Of the open transaction, once somebody has asked. */
  #version: number | undefined

  constructor(options: LateWriteOptions) {
    this.#options = options
  }

  /** What was noted last, in this transaction or in an earlier one; undefined where the database knows. */
  get value(): unknown {
    if (this.#noted) return this.#noted.value
    if (this.#kept && this.#kept.version !== this.#versionNow()) this.#kept = undefined
    return this.#kept?.value
  }

  /** The rows that wait. */
  get rows(): readonly unknown[] {
    return this.#noted?.rows ?? none
  }

  /** Puts work off, in the place of all that was put off before. */
  note(work: LateWork): void {
    this.#noted = work
  }

  /** Whether a statement may look at what waits. */
  isAbout(sql: string): boolean {
    return this.#noted?.tables.some((table) => sql.includes(table)) ?? false
  }

  /** Writes what was noted, and forgets it: what comes next reads the database, or changes it. */
  settle(connection: Connection): void {
    this.#write(connection)
    this.#kept = undefined
  }

  /** Writes what was noted, as the last thing before the commit. */
  settleLast(connection: Connection): void {
    const noted = this.#noted
    if (!noted) return
    this.#write(connection)
    this.#kept = undefined
    this.#settled = { value: noted.value, version: this.#versionNow() }
  }

  /** The commit was made. */
  committed(): void {
    if (this.#settled) this.#kept = this.#settled
    this.#settled = undefined
  }

  /** A transaction begins. */
  begin(): void {
    this.#noted = undefined
    this.#savepoints = []
    this.#settled = undefined
    this.#version = undefined
  }

  #write(connection: Connection): void {
    const noted = this.#noted
    if (!noted) return
    // What it runs finds nothing that waits.
    this.#noted = undefined
    try {
      noted.write(connection)
    } catch (error) {
      // Whoever goes on in spite of this must not be committed without it.
      this.#noted = noted
      throw error
    }
  }

  #versionNow(): number {
    this.#version ??= this.#options.version()
    return this.#version
  }

  openSavepoint(name: string): void {
    this.#savepoints.push({ name, noted: this.#noted })
  }

  /** Keeps what was done since, within inner savepoints as well. */
  keepSavepoint(name: string): void {
    this.#close(name)
  }

  /** What was noted since is undone. */
  dropSavepoint(name: string): void {
    this.#noted = this.#close(name)
  }

  /** Answers what was noted when the savepoint was opened. Those that were opened within it and never closed end with it. */
  #close(name: string): LateWork | undefined {
    for (let inner = this.#savepoints.pop(); inner; inner = this.#savepoints.pop()) if (inner.name === name) return inner.noted
    throw new Error(`there is no savepoint ${name}`)
  }
}
