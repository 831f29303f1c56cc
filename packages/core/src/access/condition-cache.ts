import { isPlainObject } from '../model/plain-object.ts'
import type { Filter } from '../query/filter.ts'

/** Conditions that are remembered, some 500 kB. */
const most = 1_000

/**
 * Filters by the conditions that they were read from. The functions of rules are asked for every request, and answer the same for the same
 * caller: reading that again cost a third of what deciding did (read off a profile).
 */
export class ConditionCache {
  readonly #read: (condition: object) => Filter
  readonly #filters = new Map<string, Filter>()

  /** @param read makes a filter of a condition, the same of the same one */
  constructor(read: (condition: object) => Filter) {
    this.#read = read
  }

  /** What `read` makes of the condition, or has made of one that says the same. Throws what `read` throws. */
  read(condition: object): Filter {
    const key = keyOf(condition)
    if (key === undefined) return this.#read(condition)
    const known = this.#filters.get(key)
    if (known) return known
    const filter = this.#read(condition)
    if (this.#filters.size >= most) this.#filters.clear()
    this.#filters.set(key, filter)
    return filter
  }
}

/** Longer ones are read each time. */
const longest = 500

/** Says all that a condition says, in its order; undefined where values are in it that have no such text, or that may change. */
function keyOf(condition: unknown): string | undefined {
  // An array's members are its own, and its length is told.
  if (Array.isArray(condition)) return joined('[', condition, condition.map(keyOf))
  if (isPlainObject(condition)) return joined('{', Object.keys(condition), Object.values(condition).map(keyOf))
  switch (typeof condition) {
    case 'string':
      return `"${condition.length}:${condition}`
    case 'number':
      return Number.isFinite(condition) ? `n${condition}` : undefined
    case 'boolean':
      return `b${condition}`
    default:
      return undefined
  }
}

function joined(kind: '[' | '{', names: readonly unknown[], values: readonly (string | undefined)[]): string | undefined {
  let text = `${kind}${names.length}`
  for (const [index, value] of values.entries()) {
    if (value === undefined) return undefined
    const name = kind === '{' ? String(names[index]) : ''
    text += `,${name.length}:${name}${value}`
    if (text.length > longest) return undefined
  }
  return text
}
