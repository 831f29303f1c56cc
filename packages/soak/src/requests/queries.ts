import type { Dice } from './dice.ts'
import { type ApiDocument, allows, type Operation, type Parameter, type Schema } from './document.ts'
import type { Pool } from './pool.ts'
import type { ValueMaker } from './values.ts'

type Pair = [name: string, value: string]

/** Parameters of which a request has one at most: each says where a page begins. */
const pageStarts = new Set(['offset', 'skip', 'after', 'before'])

/** Makes the queries of good requests. */
export class QueryMaker {
  readonly #document: ApiDocument
  readonly #pool: Pool
  readonly #dice: Dice
  readonly #values: ValueMaker

  constructor(document: ApiDocument, pool: Pool, dice: Dice, values: ValueMaker) {
    this.#document = document
    this.#pool = pool
    this.#dice = dice
    this.#values = values
  }

  make(operation: Operation): Pair[] {
    const filters = filtersOf(operation)
    const others = operation.parameters.filter((parameter) => parameter.in === 'query' && !filters.includes(parameter))
    const pairs: Pair[] = []
    for (const parameter of others) {
      if (pageStarts.has(parameter.name) && pairs.some(([name]) => pageStarts.has(name))) continue
      if (parameter.required !== true && !this.#dice.chance(2 / (others.length + 2))) continue
      pairs.push(...this.#pairs(operation, parameter))
    }
    // A change of a filtered collection wants a filter, and one that holds for little.
    if (operation.method === 'GET') {
      if (this.#dice.chance(0.5)) pairs.push(...this.#dice.some(filters, 3).flatMap((filter) => this.#pairs(operation, filter)))
    } else {
      const narrow = filters.filter((filter) => isList(filter))
      pairs.push(...this.#dice.some(this.#dice.chance(0.8) ? narrow : filters, 1).flatMap((filter) => this.#pairs(operation, filter)))
    }
    return pairs
  }

  /** A parameter as the document says that it is written: a list as one text with commas, or with its name for each item. */
  #pairs(operation: Operation, parameter: Parameter): Pair[] {
    const schema = this.#document.follow(parameter.schema)
    if (!allows(schema, 'array')) {
      const value = this.#value(operation, parameter, schema)
      return value === undefined ? [] : [[parameter.name, value]]
    }
    const items = this.#document.follow(schema.items ?? {})
    const values = new Set(Array.from({ length: this.#dice.integer(1, 3) }, () => this.#value(operation, parameter, items) ?? ''))
    if (parameter.explode !== false) return [...values].map((value) => [parameter.name, value])
    return [[parameter.name, [...values].map((value) => (/[",\\]/.test(value) ? quoted(value) : value)).join(',')]]
  }

  #value(operation: Operation, parameter: Parameter, schema: Schema): string | undefined {
    const { name } = parameter
    if (/^(?:at|from|to)$/.test(name) && schema.format === 'date-time' && this.#dice.chance(0.7)) return new Date().toISOString()
    switch (name) {
      case 'checkpoint':
      case 'public_key':
        // It is signed, and the key goes with it.
        return undefined
      case 'and':
      case 'or':
      case 'not':
        return this.#group(operation, 1)
      case 'after':
      case 'before':
        // They come with the whole query of a Link header.
        return undefined
      case 'tables':
        return this.#dice.pick(
          this.#document.operations.filter(({ method, path, tag }) => method === 'GET' && path.endsWith('/{id}') && tag !== 'db'),
        )?.tag
      case 'at_most':
        return String(this.#dice.pick([1, 5, 100, 10_000]))
    }
    // What a record shown before has there finds something.
    const seen = this.#pool.row(operation.tag, this.#dice)?.[fieldOf(name)]
    const compares = (isFilter(parameter) || allows(schema, 'string')) && schema.type !== 'boolean' && schema.enum === undefined
    const isKept = compares && seen !== undefined && seen !== null && typeof seen !== 'object'
    const value = isKept && this.#dice.chance(0.8) ? seen : this.#values.value(schema)
    return String(value)
  }

  /** `(role.eq.admin,not(age.lt.18))` */
  #group(operation: Operation, depth: number): string {
    const filters = filtersOf(operation).filter(({ name }) => name.includes('['))
    const parts = this.#dice.some(filters, 3).map((filter) => {
      if (depth < 4 && this.#dice.chance(0.2)) return `${this.#dice.pick(['and', 'or', 'not'])}${this.#group(operation, depth + 1)}`
      const [, field = '', operator = ''] = /^(.*)\[(\w+)\]$/.exec(filter.name) ?? []
      const schema = this.#document.follow(filter.schema)
      const isOneOf = operator === 'in' || operator === 'not_in'
      const item = quoted(this.#value(operation, filter, isList(filter) ? this.#document.follow(schema.items ?? {}) : schema) ?? '')
      return `${field}.${operator}.${isOneOf ? `(${item})` : item}`
    })
    return `(${parts.join(',')})`
  }
}

/** Parameters that are conditions: `field[operator]`, and `field` alone, which can be given several times. */
export function filtersOf({ parameters }: Operation): Parameter[] {
  return parameters.filter(isFilter)
}

function isFilter(parameter: Parameter): boolean {
  return parameter.in === 'query' && (parameter.name.includes('[') || (isList(parameter) && parameter.explode !== false))
}

/** The field that a condition is about. */
export function fieldOf(name: string): string {
  return name.replace(/\[\w*\]$/, '')
}

function isList({ schema }: Parameter): boolean {
  return allows(schema, 'array')
}

/** A text as an item of a list, or as a value in a group. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
