import type { Operation } from './document.ts'

/** How often an operation was answered. */
export interface OperationCount {
  good: number
  refused: number
  other: number
  /** Milliseconds for an answer, the last ones counting most. */
  slowness: number
}

/** What one engine's run counted. */
export class Tally {
  readonly operations = new Map<string, OperationCount>()
  /** Good requests that were refused, by the code of the problem. */
  readonly refusedGood = new Map<string, number>()
  /** Requests by what was done to them. */
  readonly kinds = new Map<string, { sent: number; refused: number }>()
  /** Answers to bytes and paths that belong to no operation, by status. */
  readonly outside = new Map<string, number>()
  readonly faults: string[] = []
  faultCount = 0
  slowest = { operation: '', duration: 0 }
  readonly #faultClasses = new Map<string, number>()

  constructor(operations: readonly Operation[]) {
    for (const { name } of operations) this.operations.set(name, { good: 0, refused: 0, other: 0, slowness: 0 })
  }

  count({ name }: Operation): OperationCount {
    const known = this.operations.get(name)
    if (!known) throw new Error(`${name} is no operation of the document`)
    return known
  }

  answered(operation: Operation, status: number, duration: number): void {
    const count = this.count(operation)
    count.slowness += (duration - count.slowness) / 10
    if (status >= 200 && status < 300) count.good++
    else if (status >= 400 && status < 500) count.refused++
    else count.other++
    if (duration > this.slowest.duration) this.slowest = { operation: operation.name, duration: Math.round(duration) }
  }

  sent(kind: string, refused: boolean): void {
    const known = this.kinds.get(kind) ?? { sent: 0, refused: 0 }
    this.kinds.set(kind, known)
    known.sent++
    if (refused) known.refused++
  }

  /** Notes a fault; the third of a class is only counted. */
  fault(kind: string, detail: string): void {
    this.faultCount++
    const seen = (this.#faultClasses.get(kind) ?? 0) + 1
    this.#faultClasses.set(kind, seen)
    if (seen <= 3) this.faults.push(`${kind}: ${detail}`)
  }
}
