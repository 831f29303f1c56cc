/** What one writer knows of its record: each value that it asked for, and the last one that was acknowledged. */
export interface LedgerLine {
  readonly name: string
  id: number | undefined
  /** The value of the last write that was acknowledged; undefined before the first. */
  acknowledged: number | undefined
  /** The value of a write whose answer never came, if any. */
  inFlight: number | undefined
  /** Values whose write was answered with a failure: they must never be found. */
  readonly refused: Set<number>
}

/** What writers were told, to be held against what is stored. */
export class Ledger {
  readonly lines: LedgerLine[] = []
  acknowledged = 0
  refused = 0
  unanswered = 0
  /** Answers that said that nobody knows what came of it. */
  unknown = 0
  /** Answers that nothing explains: a record that was acknowledged and is not found, a failure of the server. */
  readonly surprises: string[] = []

  open(name: string): LedgerLine {
    const line: LedgerLine = { name, id: undefined, acknowledged: undefined, inFlight: undefined, refused: new Set() }
    this.lines.push(line)
    return line
  }
}
