import { seededRandom } from '../random.ts'

/** Choices that a seed repeats. */
export class Dice {
  readonly #next: () => number

  constructor(seed: number) {
    this.#next = seededRandom(seed)
  }

  /** Whether something of this probability happens. */
  chance(probability: number): boolean {
    return this.#next() < probability
  }

  /** A whole number from `least` to `most`. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.#next() * (most - least + 1))
  }

  /** One of them; undefined where there is none. */
  pick<const Choices extends readonly unknown[]>(choices: Choices): Picked<Choices>
  pick(choices: readonly unknown[]): unknown {
    return choices[this.integer(0, choices.length - 1)]
  }

  /** Up to `most` different ones, at least one where there are any. */
  some<T>(choices: readonly T[], most: number): T[] {
    const left = [...choices]
    const taken: T[] = []
    for (let count = this.integer(1, most); count > 0 && left.length > 0; count--) {
      taken.push(...left.splice(this.integer(0, left.length - 1), 1))
    }
    return taken
  }
}

type Picked<Choices extends readonly unknown[]> = Choices extends readonly [unknown, ...unknown[]]
  ? Choices[number]
  : Choices[number] | undefined
