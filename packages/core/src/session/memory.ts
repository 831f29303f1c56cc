/** What was found out for a caller, by whoever found it: it is kept as long as a call, a unit or a request, and goes with it. */
export class Memory {
  // Most callers ask about one component.
  #owner: object | undefined = undefined
  #first: unknown = undefined
  #others: Map<object, unknown> | undefined = undefined

  /** What `owner` keeps here; it makes that once. */
  of<Kept>(owner: object, make: () => Kept): Kept {
    // Each owner finds what it has made, and nothing else.
    if (this.#owner === owner) return this.#first as Kept
    const known = this.#others?.get(owner)
    if (known !== undefined) return known as Kept
    const made = make()
    if (this.#owner === undefined) {
      this.#owner = owner
      this.#first = made
    } else {
      this.#others ??= new Map()
      this.#others.set(owner, made)
    }
    return made
  }
}
