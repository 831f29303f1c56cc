/**
 * Tells whether others are about to join the units that wait. Callers who were answered by one commit mostly come again together, but one after the
 * other: their first would have a commit to itself, which costs as much as the one that all the others share after it (measured over HTTP with 64
 * connections: 36 units to a commit, and 57 with this). A unit that comes where the last commit had one alone waits for nobody.
 */
export class Gathering {
  /** Units that the last commit had. */
  #expected = 1
  /** Units that waited at the last look. */
  #known = 0
  readonly #longest: number

  /** @param longest milliseconds that a unit waits for others at most: about as long as two commits take, unless said */
  constructor(longest = 2) {
    this.#longest = longest
  }

  /** A commit has answered so many. */
  answered(count: number): void {
    this.#expected = count
  }

  /** Whether the next turn of the event loop is worth waiting for: the last one brought somebody, and not all are there. */
  goesOn({ waiting, since }: { readonly waiting: number; readonly since: number }): boolean {
    const goesOn = waiting < this.#expected && waiting > this.#known && performance.now() - since < this.#longest
    this.#known = goesOn ? waiting : 0
    return goesOn
  }
}
