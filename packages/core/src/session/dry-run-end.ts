/** Carries the answer of a dry run out of the unit that is rolled back for it. */
export class DryRunEnd extends Error {
  readonly result: unknown

  constructor(result: unknown) {
    super('dry run')
    this.result = result
  }
}
