import fc from 'fast-check'
import type { Dice } from './dice.ts'
import { type ApiDocument, allows, type Schema } from './document.ts'

const letters = [
  'a',
  'e',
  'n',
  'r',
  's',
  't',
  'B',
  'Z',
  '0',
  '7',
  ' ',
  '-',
  ',',
  '"',
  "'",
  '%',
  '_',
  '\\',
  '(',
  '.',
  'é',
  'ß',
  'İ',
  '漢',
  '🎈',
  '\u0301',
  '‮',
  '\n',
]

/** Texts of each pattern that are made at a time. */
const samples = 100

/** Stands in the values that are made, where a value has room for it: they are known again wherever they turn up. */
export interface ValueMark {
  /** At the beginning of texts. */
  readonly text: string
  /** Of instants and dates. */
  readonly year: number
  /** What whole numbers without a bound begin from. */
  readonly number: number
}

/** Makes values that a schema allows. */
export class ValueMaker {
  readonly #document: ApiDocument
  readonly #dice: Dice
  readonly #mark: ValueMark | undefined
  readonly #byPattern = new Map<string, readonly string[]>()
  #counter = 0

  constructor(document: ApiDocument, dice: Dice, mark?: ValueMark) {
    this.#document = document
    this.#dice = dice
    this.#mark = mark
  }

  value(schema: Schema, depth = 0): unknown {
    const forms = this.#document.forms(schema)
    const form = this.#dice.pick(forms.filter(({ type }) => type !== 'null' || this.#dice.chance(0.2))) ?? forms[0] ?? {}
    if (form.const !== undefined) return form.const
    if (form.enum) return this.#dice.pick(form.enum)
    if (form.type === undefined) return form.properties ? this.#object(form, depth) : this.#anything(depth)
    if (allows(form, 'null') && (form.type === 'null' || this.#dice.chance(0.15))) return null
    if (allows(form, 'object')) return this.#object(form, depth)
    if (allows(form, 'array')) return this.#list(form, depth)
    if (allows(form, 'boolean')) return this.#dice.chance(0.5)
    if (allows(form, 'string')) return this.text(form)
    return this.#number(form)
  }

  /** A text that the schema allows. */
  text({ format, pattern, contentEncoding, minLength = 0, maxLength = 200 }: Schema): string {
    if (pattern !== undefined) return this.#dice.pick(this.#matching(pattern)) ?? ''
    if (contentEncoding === 'base64') return this.#bytes(Math.min(30, maxLength / 2)).toString('base64')
    if (format !== undefined) return this.#formatted(format)
    const usual = 15 + (this.#mark?.text.length ?? 0)
    const length = this.#dice.chance(0.03) ? Math.min(maxLength, 5_000) : this.#dice.integer(minLength, Math.min(maxLength, usual))
    // Different ones, as unique fields want them.
    const start = `${this.#mark?.text ?? ''}${(this.#counter++).toString(36)}${this.#dice.integer(0, 1295).toString(36)}`.slice(0, length)
    return start + Array.from({ length: length - start.length }, () => this.#dice.pick(letters)).join('')
  }

  #bytes(most: number): Buffer {
    const bytes = Buffer.alloc(this.#dice.integer(0, most), this.#counter++)
    return this.#mark ? Buffer.concat([Buffer.from(this.#mark.text), bytes]).subarray(0, most) : bytes
  }

  #formatted(format: string): string {
    const number = this.#counter++
    const instant = new Date(
      Date.UTC(
        this.#mark?.year ?? this.#dice.integer(1, 9998),
        this.#dice.integer(0, 11),
        this.#dice.integer(1, 28),
        12,
        30,
        15,
        number % 1000,
      ),
    )
    // Date.UTC takes the years up to 99 for those of the last century, which are as good.
    const text = instant.toISOString()
    switch (format) {
      case 'email':
        return `u${this.#mark?.text ?? ''}${number}.${this.#dice.integer(0, 999_999)}@example.com`
      case 'date-time':
        return this.#dice.chance(0.5) ? text : text.replace('Z', this.#dice.pick(['+02:00', '-11:30', 'Z']))
      case 'date':
        return text.slice(0, 10)
      case 'time':
        return text.slice(11)
      case 'uuid':
        return `${hex(number, 8)}-${hex(this.#dice.integer(0, 0xffff), 4)}-7${hex(number % 4096, 3)}-8000-${hex(this.#dice.integer(0, 2 ** 47), 12)}`
      case 'uri':
        return `https://example.com/${number}`
      default:
        throw new Error(`The document has the format ${format}, which this generator does not know`)
    }
  }

  #matching(pattern: string): readonly string[] {
    const known = this.#byPattern.get(pattern)
    if (known) return known
    const made = fc.sample(fc.stringMatching(new RegExp(pattern, 'u')), { numRuns: samples, seed: this.#dice.integer(0, 2 ** 31) })
    this.#byPattern.set(pattern, made)
    return made
  }

  #number({ type, minimum = -1e15, maximum = 1e15 }: Schema & { type?: unknown }): number {
    const most = Math.min(maximum, Number.MAX_SAFE_INTEGER)
    const least = Math.max(minimum, Number.MIN_SAFE_INTEGER)
    const edge = this.#dice.chance(0.1)
    if (edge) return this.#dice.chance(0.5) ? least : most
    const near = this.#dice.integer(Math.max(least, -10), Math.min(most, 1_000))
    const whole = type === 'integer' || (Array.isArray(type) && type.includes('integer'))
    if (this.#mark && whole && most > 1e12) return this.#mark.number + Math.abs(near)
    return whole || near === least || near === most ? near : near + this.#dice.integer(0, 99) / 100
  }

  #object({ properties = {}, required = [], additionalProperties }: Schema, depth: number): Record<string, unknown> {
    const made: Record<string, unknown> = {}
    for (const [name, schema] of Object.entries(properties)) {
      if (required.includes(name) || this.#dice.chance(0.5)) made[name] = this.value(schema, depth + 1)
    }
    if (Object.keys(properties).length === 0 && additionalProperties !== false) Object.assign(made, this.#anyMembers(depth))
    return made
  }

  #list({ items = {}, minItems = 0, maxItems = 4 }: Schema, depth: number): unknown[] {
    return Array.from({ length: this.#dice.integer(minItems, Math.max(minItems, Math.min(maxItems, 4))) }, () =>
      this.value(items, depth + 1),
    )
  }

  #anything(depth: number): unknown {
    if (depth < 4 && this.#dice.chance(0.4)) return this.#dice.chance(0.5) ? this.#anyMembers(depth) : this.#list({}, depth)
    return this.#dice.pick([
      null,
      true,
      false,
      0,
      -0,
      1.5,
      1e21,
      5e-324,
      '',
      this.#mark?.text ?? 'text',
      '漢🎈',
      '$0.id',
      '9007199254740993',
    ])
  }

  #anyMembers(depth: number): Record<string, unknown> {
    const names = this.#dice.some(['a', 'b', '', 'a.b', '漢', 'toString', 'constructor', 'length', '$ref', '0'], 3)
    return Object.fromEntries(names.map((name) => [name, this.value({}, depth + 1)]))
  }
}

function hex(number: number, length: number): string {
  return number.toString(16).padStart(length, '0').slice(-length)
}
