import type { CheckedHead, LogCheck } from '../audit/log-check.ts'
import type { AuditFault } from '../audit/log-fault.ts'
import type { Checkpoint } from './checkpoint.ts'

/** What a checkpoint says of a log. */
export type CheckpointFinding =
  /** The log up to there is what was signed. */
  | 'holds'
  /** It is another one. */
  | 'differs'
  /** The log ends before it. */
  | 'cut_off'
  /** A restore has replaced entries that it covers; the entry of that restore carries the head that it replaced. */
  | 'replaced'
  /** The entries that it covers were removed by retention. */
  | 'not_retained'
  /** It is of another log. */
  | 'other_log'
  /** A fault before it kept the check from getting there. */
  | 'not_reached'

/** A checkpoint that a log was held against. */
export interface HeldCheckpoint extends Pick<Checkpoint, 'size' | 'epoch' | 'timestamp'> {
  readonly finding: CheckpointFinding
}

type Held = Pick<Checkpoint, 'origin' | 'epoch' | 'size' | 'root' | 'timestamp'>

/** Holds a log against checkpoints while it is gone through. */
export class CheckpointHolder {
  readonly #waiting: Held[]
  readonly #held: HeldCheckpoint[] = []
  readonly #origin: string
  /** The size of the last checkpoint that holds. */
  #good: number

  constructor(checkpoints: readonly Held[], head: CheckedHead) {
    this.#waiting = checkpoints.toSorted((one, other) => one.size - other.size)
    this.#origin = head.origin
    this.#good = Math.max(0, head.retained_below - 1)
  }

  /** The log is at its start: nothing of it has been looked at. */
  start(check: LogCheck): void {
    const other = this.#waiting.find(({ origin }) => origin !== this.#origin)
    if (other) {
      this.#settle(other, 'other_log')
      check.fault = {
        ...{ kind: 'other_log', position: null, through: null, id: null },
        detail: `The checkpoint of ${other.timestamp} is of another log: its origin is ${other.origin}, and this one's ${this.#origin}.`,
      }
      return
    }
    while (this.#next && this.#next.size < check.position) this.#settle(this.#next, 'not_retained')
    this.at(check)
  }

  /** The log has come to this position. */
  at(check: LogCheck): void {
    // The positions in between were passed over, which only a restore does.
    while (this.#next && this.#next.size < check.position) this.#settle(this.#next, 'replaced')
    while (this.#next && this.#next.size === check.position && !check.fault) this.#compare(this.#next, check)
  }

  /** The log is over. */
  end(check: LogCheck): HeldCheckpoint[] {
    const next = this.#next
    if (next && !check.fault) {
      this.#settle(next, 'cut_off')
      check.fault = this.#fault(
        'cut_off',
        check.position + 1,
        next.size,
        `The log ends at position ${check.position}, and the checkpoint of ${next.timestamp} knows it up to ${next.size}.`,
      )
    }
    for (const waiting of [...this.#waiting]) this.#settle(waiting, 'not_reached')
    return this.#held
  }

  get #next(): Held | undefined {
    return this.#waiting[0]
  }

  #compare(checkpoint: Held, check: LogCheck): void {
    const root = check.root()
    if (!root) {
      this.#settle(checkpoint, 'not_retained')
      return
    }
    if (Buffer.from(root).toString('hex') === checkpoint.root) {
      this.#settle(checkpoint, 'holds')
      this.#good = checkpoint.size
      return
    }
    this.#settle(checkpoint, 'differs')
    check.fault = this.#fault(
      'rewritten',
      this.#good + 1,
      checkpoint.size,
      `The log was rewritten: up to position ${checkpoint.size} it is not what the checkpoint of ${checkpoint.timestamp} knows. ${this.#good > 0 ? `Up to ${this.#good} it is what an earlier one knows.` : 'Nothing tells where that begins.'}`,
    )
  }

  #fault(kind: 'cut_off' | 'rewritten', position: number, through: number, detail: string): AuditFault {
    return { kind, position, through: through > position ? through : null, id: null, detail }
  }

  #settle(checkpoint: Held, finding: CheckpointFinding): void {
    this.#waiting.splice(this.#waiting.indexOf(checkpoint), 1)
    const { size, epoch, timestamp } = checkpoint
    this.#held.push({ size, epoch, timestamp, finding })
  }
}
