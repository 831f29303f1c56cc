import { type ListCondition, type ListOperator, listOperators } from './list-condition.ts'
import { listOf, QueryError, shown } from './query-string.ts'

/** Groups may stand in groups so deep. */
const deepest = 5

const groups = ['and', 'or', 'not'] as const

/**
 * Reads what stands in `or=(role.eq.admin,age.gte.65)`: conditions as `field.operator.value`, and groups of them as `and(…)`,
 * `or(…)` and `not(…)`, which may be nested. A value ends at a comma or bracket; in double quotes it may hold both, with `\"` and
 * `\\` for a quote and a backslash. `in` and `not_in` take a list: `id.in.(1,2,3)`.
 *
 * @throws QueryError that says where the text goes wrong
 */
export function parseConditions(parameter: string, text: string, fields: readonly string[]): ListCondition[] {
  const reader = new ConditionReader(parameter, text, fields)
  const conditions = reader.readGroup(1)
  reader.expectEnd()
  return conditions
}

class ConditionReader {
  readonly #parameter: string
  readonly #text: string
  readonly #fields: readonly string[]
  #position = 0

  constructor(parameter: string, text: string, fields: readonly string[]) {
    this.#parameter = parameter
    this.#text = text
    this.#fields = fields
  }

  /** `(a,b,c)` */
  readGroup(depth: number): ListCondition[] {
    if (depth > deepest) throw new QueryError(`${this.#parameter} nests groups more than ${deepest} deep.`)
    this.#expect('(')
    const conditions: ListCondition[] = []
    do conditions.push(this.#readCondition(depth))
    while (this.#take(','))
    this.#expect(')')
    return conditions
  }

  expectEnd(): void {
    if (this.#position < this.#text.length) throw this.#fault('ends too early')
  }

  #readCondition(depth: number): ListCondition {
    const group = groups.find((name) => this.#text.startsWith(`${name}(`, this.#position))
    if (group) {
      this.#position += group.length
      const parts = this.readGroup(depth + 1)
      return group === 'not' ? { type: 'not', part: { type: 'and', parts } } : { type: group, parts }
    }
    const field = this.#readWord()
    if (!this.#fields.includes(field)) throw new QueryError(`There is no field ${shown(field)}. ${listOf('Fields', this.#fields)}`)
    this.#expect('.')
    const word = this.#readWord()
    const operator = listOperators.find((candidate) => candidate === word)
    if (operator === undefined) throw new QueryError(`${shown(word)} in ${field} is no operator. ${listOf('Operators', listOperators)}`)
    this.#expect('.')
    return { type: 'filter', field, operator, values: this.#readValues(operator) }
  }

  #readValues(operator: ListOperator): string[] {
    if (operator !== 'in' && operator !== 'not_in') return [this.#readValue()]
    this.#expect('(')
    if (this.#take(')')) return []
    const values: string[] = []
    do values.push(this.#readValue())
    while (this.#take(','))
    this.#expect(')')
    return values
  }

  #readWord(): string {
    const word = /[A-Za-z0-9_]*/y
    word.lastIndex = this.#position
    const [found = ''] = word.exec(this.#text) ?? []
    if (found === '') throw this.#fault('misses a name')
    this.#position += found.length
    return found
  }

  #readValue(): string {
    const value = /"((?:[^"\\]|\\.)*)"|([^,()"][^,()]*)?/sy
    value.lastIndex = this.#position
    const found = value.exec(this.#text)
    this.#position += found?.[0].length ?? 0
    return found?.[1] === undefined ? (found?.[2] ?? '') : found[1].replaceAll(/\\(.)/gs, '$1')
  }

  #take(character: string): boolean {
    if (this.#text[this.#position] !== character) return false
    this.#position++
    return true
  }

  #expect(character: string): void {
    if (!this.#take(character)) throw this.#fault(`misses a ${character}`)
  }

  #fault(what: string): QueryError {
    const place = shown(this.#text.slice(this.#position))
    return new QueryError(`${this.#parameter} ${what} before ${place}. It is written like (role.eq.admin,not(age.lt.18)).`)
  }
}
