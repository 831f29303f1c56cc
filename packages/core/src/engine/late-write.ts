import type { Statement } from './engine.ts'

/** A value, and the statement that writes it. */
interface Noted {
  readonly value: unknown
  readonly statement: () => Statement
}

/** A value that was committed, and the version of the database at that. */
interface Kept {
  readonly value: unknown
  readonly version: number
}

export interface LateWriteOptions {
  /** Runs a statement in the open transaction. */
  readonly run: (statement: Statement) => void
  /** A number that is another one in the open transaction when somebody else has committed anything since an earlier one. */
  readonly version: () => number
}

/**
 * What each unit of a transaction changes once more, and what is written once for all of them, before their commit: where the audit log
 * stands. It is rolled back with what was done. What was committed need not be read again while nobody else has committed anything: to
 * read it and take it apart costs a write as much as its hashes.
 */
export class LateWrite {
  readonly #options: LateWriteOptions
  #noted: Noted | undefined
  #savepoints: { readonly name: string; readonly noted: Noted | undefined }[] = []
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

  /** @param statement makes the statement that writes it, which is asked for once, at the end */
  note(value: unknown, statement: () => Statement): void {
    this.#noted = { value, statement }
  }

  /** Writes what was noted, and forgets it: what comes next reads the database, or changes it. */
  settle(): void {
    this.#write()
    this.#kept = undefined
  }

  /** Writes what was noted, as the last thing before the commit. */
  settleLast(): void {
    const noted = this.#noted
    if (!noted) return
    this.#write()
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

  #write(): void {
    if (this.#noted) this.#options.run(this.#noted.statement())
    this.#noted = undefined
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
  #close(name: string): Noted | undefined {
    for (let inner = this.#savepoints.pop(); inner; inner = this.#savepoints.pop()) if (inner.name === name) return inner.noted
    throw new Error(`there is no savepoint ${name}`)
  }
}
