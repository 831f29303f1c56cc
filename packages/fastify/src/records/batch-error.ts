/** An operation of a batch failed; the cause tells how, the index which. Nothing of the batch was done. */
export class BatchOperationError extends Error {
  /** From 0 on. */
  readonly index: number

  constructor(index: number, cause: unknown) {
    super(`operation ${index} of the batch failed`, { cause })
    this.index = index
  }
}
