import { samplePattern } from './example-pattern.ts'

/** The words of JSON Schema that samples look at. */
interface Words {
  readonly type?: unknown
  readonly const?: unknown
  readonly enum?: unknown
  readonly examples?: unknown
  readonly default?: unknown
  readonly anyOf?: unknown
  readonly oneOf?: unknown
  readonly properties?: unknown
  readonly items?: unknown
  readonly minItems?: unknown
  readonly minLength?: unknown
  readonly maxLength?: unknown
  readonly pattern?: unknown
  readonly format?: unknown
  readonly minimum?: unknown
  readonly maximum?: unknown
  readonly exclusiveMinimum?: unknown
  readonly exclusiveMaximum?: unknown
  readonly multipleOf?: unknown
}

/** A value that the schema probably takes; who uses it holds it against the schema. */
export function sampleOf(schema: object, word: string): unknown {
  const words: Words = schema
  if ('const' in words) return words.const
  for (const list of [words.enum, words.examples]) if (Array.isArray(list) && list.length > 0) return list[0]
  if (words.default !== undefined) return words.default
  for (const list of [words.anyOf, words.oneOf]) if (Array.isArray(list) && isObject(list[0])) return sampleOf(list[0], word)
  const type: unknown = Array.isArray(words.type) ? words.type[0] : words.type
  switch (type) {
    case 'string':
      return textSamples(words, word)[0]
    case 'integer':
    case 'number':
      return sampleNumber(words)
    case 'boolean':
      return true
    case 'null':
      return null
    case 'array':
      return Array.from({ length: Math.max(1, Number(words.minItems ?? 0)) }, () =>
        isObject(words.items) ? sampleOf(words.items, word) : word,
      )
    case 'object':
      return Object.fromEntries(
        Object.entries(isObject(words.properties) ? words.properties : {}).map(([name, own]) => [
          name,
          isObject(own) ? sampleOf(own, name) : name,
        ]),
      )
    default:
      return undefined
  }
}

function sampleNumber({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: Words): number {
  const step = typeof multipleOf === 'number' ? multipleOf : 1
  const isTaken = (value: number): boolean =>
    !(Number(minimum) > value || Number(maximum) < value || Number(exclusiveMinimum) >= value || Number(exclusiveMaximum) <= value) &&
    Number.isInteger(value / step)
  const bounds = [minimum, maximum, exclusiveMinimum, exclusiveMaximum].filter((bound) => typeof bound === 'number')
  const near = bounds.flatMap((bound) => [bound, (Math.floor(bound / step) + 1) * step, (Math.ceil(bound / step) - 1) * step])
  const middle = (Number(minimum ?? exclusiveMinimum ?? 0) + Number(maximum ?? exclusiveMaximum ?? 1)) / 2
  return [42 * step, step, 0, ...near].find(isTaken) ?? middle
}

const formats: Readonly<Record<string, string>> = {
  email: 'ada@example.com',
  'idn-email': 'ada@example.com',
  uri: 'https://example.com/page',
  'uri-reference': '/page',
  'uri-template': '/pages/{id}',
  url: 'https://example.com/page',
  iri: 'https://example.com/page',
  'iri-reference': '/page',
  uuid: '0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f80',
  hostname: 'example.com',
  'idn-hostname': 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  date: '2026-01-31',
  time: '12:00:00Z',
  'date-time': '2026-01-31T12:00:00Z',
  duration: 'PT1H',
  regex: '^a+$',
  'json-pointer': '/name',
  'relative-json-pointer': '0/name',
  'json-pointer-uri-fragment': '#/name',
}

/** Texts of which one is probably taken. */
export function textSamples({ pattern, format, minLength, maxLength }: Words, word: string): string[] {
  if (typeof format === 'string') return [formats[format] ?? word]
  const source = pattern instanceof RegExp ? pattern.source : pattern
  if (typeof source === 'string') return [1, 0, Number(minLength ?? 2)].flatMap((least) => samplePattern(source, least) ?? [])
  const least = Number(minLength ?? 0)
  const most = Number(maxLength ?? Number.POSITIVE_INFINITY)
  return [word, 'example', 'abc'].map((text) => (text.length < least ? text.padEnd(least, text || 'x') : text.slice(0, most)))
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
