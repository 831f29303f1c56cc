/** First in, first out, without moving the rest at every step. */
export class Queue<T> {
  #items: T[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  peek(): T | undefined {
    return this.#items[this.#head]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const item = this.#items[this.#head]
    if (this.length === 0) return undefined
    this.#head += 1
    // Half of the array is spent: let go of it.
    if (this.#head >= 1_000 && this.#head * 2 >= this.#items.length) this.#replace(this.#items.slice(this.#head))
    else if (this.#head === this.#items.length) this.#replace([])
    return item
  }

  /** Puts items in front, in their order. */
  unshift(items: readonly T[]): void {
    this.#replace([...items, ...this.#items.slice(this.#head)])
  }

  /** Takes out what matches, in order. */
  take(matches: (item: T) => boolean): T[] {
    const waiting = this.#items.slice(this.#head)
    this.#replace(waiting.filter((item) => !matches(item)))
    return waiting.filter(matches)
  }

  #replace(items: T[]): void {
    this.#items = items
    this.#head = 0
  }
}
