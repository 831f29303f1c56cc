import type { Statement } from './engine.ts'

/** A value, and the statement that writes it. */
interface Noted {
  readonly value: unknown
  readonly statement: () => Statement
}

/**
 * What each unit of a transaction changes once more, and what is written once for all of them, before their commit: where the audit log
 * stands. It is rolled back with what was done.
 */
export class LateWrite {
  readonly #run: (statement: Statement) => void
  #noted: Noted | undefined
  #savepoints: { readonly name: string; readonly noted: Noted | undefined }[] = []

  /** @param run runs a statement in the open transaction */
  constructor(run: (statement: Statement) => void) {
    this.#run = run
  }

  /** What was noted last in this transaction; undefined where the database knows. */
  get value(): unknown {
    return this.#noted?.value
  }

  /** @param statement makes the statement that writes it, which is asked for once, at the end */
  note(value: unknown, statement: () => Statement): void {
    this.#noted = { value, statement }
  }

  /** Writes what was noted, and forgets it: what comes next reads the database, or changes it. */
  settle(): void {
    const noted = this.#noted
    if (noted) this.#run(noted.statement())
    this.#noted = undefined
  }

  /** A transaction begins, or has ended. */
  forget(): void {
    this.#noted = undefined
    this.#savepoints = []
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
