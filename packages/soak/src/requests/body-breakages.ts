import { gzipSync } from 'node:zlib'
import { type Breakage, bodyObject, members, objectSchemas, withLiteral } from './breakage.ts'
import { allows, type Schema } from './document.ts'
import type { Draft } from './request.ts'

const jsonTypes = [
  ['boolean', true],
  ['object', { a: 1 }],
  ['array', ['x']],
  ['number', 7],
  ['string', 'a word!'],
] as const

const isPlainText = (form: Schema): boolean =>
  allows(form, 'string') && !form.enum && !form.format && !form.pattern && !form.contentEncoding
const isNumber = (form: Schema): boolean => allows(form, 'number') || allows(form, 'integer')
const isAnything = (form: Schema): boolean => form.type === undefined && form.enum === undefined && form.const === undefined

/** A change of a collection may find nothing to change: a reference, or an object to be merged into a JSON field, is judged for each record. */
const changesRecords = ({ method, operation }: Draft): boolean => method !== 'PATCH' || operation.path.includes('{')

/** A value that the schema's type has and its other words forbid. */
function forbidden(form: Schema): unknown {
  if (form.enum) return 'no such word'
  if (form.format !== undefined) return `no ${form.format}`
  if (form.pattern !== undefined) return '!'
  if (form.contentEncoding !== undefined) return '*'
  if (form.maxLength !== undefined) return 'x'.repeat(form.maxLength + 1)
  if (form.maxItems !== undefined) return Array.from({ length: form.maxItems + 1 }, () => 1)
  if (form.maximum !== undefined) return form.maximum + 1
  if (form.minimum !== undefined) return form.minimum - 1
  return undefined
}

/** What is wrong with the content of a body. */
export const contentBreakages: readonly Breakage[] = [
  {
    kind: 'wrong type',
    mustBeRefused: true,
    apply(draft, { document, dice }) {
      const object = bodyObject(draft)
      const member = dice.pick(members(draft, document, (forms) => !forms.some(isAnything)))
      if (!object || !member) return false
      const allowed = (type: string): boolean =>
        member.forms.some((form) => allows(form, type) || (type === 'number' && allows(form, 'integer')))
      const isMerged = !changesRecords(draft) && allowed('array')
      const wrong = dice.pick(jsonTypes.filter(([type]) => !allowed(type) && !(isMerged && type === 'object')))
      if (!wrong) return false
      object[member.name] = wrong[1]
      return true
    },
  },
  {
    kind: 'a value that the schema forbids',
    mustBeRefused: true,
    apply(draft, { document, dice }) {
      const object = bodyObject(draft)
      const member = dice.pick(
        members(draft, document, (forms) => forms.every((form) => form.type === 'null' || forbidden(form) !== undefined)),
      )
      const form = member?.forms.find((one) => one.type !== 'null')
      if (!object || !member || !form) return false
      object[member.name] = forbidden(form)
      return true
    },
  },
  {
    kind: 'a required field left out',
    mustBeRefused: true,
    apply(draft, { document, dice }) {
      const object = bodyObject(draft)
      const name = dice.pick(objectSchemas(draft, document).flatMap(({ required = [] }) => required))
      return object !== undefined && name !== undefined && delete object[name]
    },
  },
  {
    kind: 'an unknown field',
    mustBeRefused: true,
    apply(draft, { dice }) {
      const object = bodyObject(draft)
      if (!object) return false
      object[dice.pick(['no_such_field', 'row_version', 'toString', 'hasOwnProperty', '', '$id', 'constructor'])] = 1
      return true
    },
  },
  {
    kind: 'a field that the server owns',
    mustBeRefused: (draft) => draft.method !== 'PUT',
    apply(draft, { document, dice }) {
      const object = bodyObject(draft)
      const writable = new Set(objectSchemas(draft, document).flatMap(({ properties = {} }) => Object.keys(properties)))
      const owned = Object.keys(document.membersOf(draft.operation.answer)).filter((name) => !writable.has(name))
      const name = dice.pick(owned)
      if (!object || name === undefined || draft.operation.tag === 'batch') return false
      object[name] = dice.pick([7, 'x', '2020-01-01T00:00:00Z'])
      return true
    },
  },
  {
    kind: 'another id in the body',
    mustBeRefused: true,
    apply(draft, { key, values, document }) {
      const object = bodyObject(draft)
      const id = draft.operation.parameters.find((parameter) => parameter.in === 'path')
      if (!object || !id || key === undefined || !(key in document.membersOf(draft.operation.answer))) return false
      object[key] = values.value(id.schema)
      return !draft.path.includes(encodeURIComponent(String(object[key])))
    },
  },
  {
    kind: 'a reference to nothing',
    mustBeRefused: changesRecords,
    apply(draft, { guesses, dice }) {
      const object = bodyObject(draft)
      const guess = dice.pick(guesses)
      if (!object || !guess || !(guess.field in object)) return false
      object[guess.field] = typeof object[guess.field] === 'number' ? Number.MAX_SAFE_INTEGER : '00000000-0000-7000-8000-000000000000'
      return true
    },
  },
  {
    kind: 'NUL or a lone surrogate in text',
    mustBeRefused: true,
    apply(draft, { document, dice }) {
      const object = bodyObject(draft)
      const member = dice.pick(members(draft, document, (forms) => forms.some((form) => isPlainText(form) || isAnything(form))))
      if (!object || !member) return false
      const text = dice.pick(['a\0b', '\0', 'a\ud800', '\udc00b', '\udc00\ud800'])
      const nests = member.forms.some(isAnything) && changesRecords(draft)
      object[member.name] = nests ? dice.pick([text, { a: [text] }, { [text]: 1 }]) : text
      return true
    },
  },
  {
    kind: 'a number that JSON does not carry',
    mustBeRefused: true,
    apply(draft, { document, dice }) {
      const member = dice.pick(members(draft, document, (forms) => forms.some((form) => isNumber(form) || isAnything(form))))
      return (
        member !== undefined &&
        withLiteral(draft, member.name, dice.pick(['1e400', '-1e999', '9007199254740993', '-123456789012345678901234567890']))
      )
    },
  },
  {
    kind: 'a long or odd number',
    mustBeRefused: false,
    apply(draft, { document, dice }) {
      const member = dice.pick(members(draft, document, (forms) => forms.some((form) => isNumber(form) || isAnything(form))))
      const literals = [
        '1e-400',
        '-0',
        '0.1e1',
        `1${'0'.repeat(15)}`,
        `0.${'3'.repeat(5_000)}`,
        '1.7976931348623157e308',
        `1${'0'.repeat(400)}e-400`,
      ]
      return member !== undefined && withLiteral(draft, member.name, dice.pick(literals) ?? '0')
    },
  },
  {
    kind: 'a member twice',
    mustBeRefused: false,
    apply(draft, { dice }) {
      const object = bodyObject(draft)
      const name = dice.pick(Object.keys(object ?? {}))
      return (
        name !== undefined &&
        object !== undefined &&
        withLiteral(draft, name, `${JSON.stringify(object[name])},${JSON.stringify(name)}:null`)
      )
    },
  },
  {
    kind: '__proto__',
    mustBeRefused: true,
    apply(draft, { dice }) {
      const literal = dice.pick(['{"__proto__":{"admin":true}}', '[{"__proto__":null}]', '{"constructor":{"prototype":{"admin":true}}}'])
      return dice.chance(0.5) ? withLiteral(draft, '__proto_place__', literal) : withLiteral(draft, 'settings', literal)
    },
  },
]

const hasBody = ({ body, text }: Draft): boolean => body !== undefined || text !== undefined
const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`

/** What is wrong with a body before anybody looks at its content. */
export const bodyBreakages: readonly Breakage[] = [
  {
    kind: 'deep nesting',
    mustBeRefused: true,
    apply(draft, { dice }) {
      if (draft.body === undefined) return false
      if (dice.chance(0.5)) return withLiteral(draft, 'settings', nested(dice.integer(101, 20_000)))
      draft.text = dice.chance(0.5) ? nested(dice.integer(101, 50_000)) : '{"a":'.repeat(dice.integer(101, 5_000))
      return true
    },
  },
  {
    kind: 'broken JSON',
    mustBeRefused: true,
    apply(draft, { dice }) {
      const text = JSON.stringify(draft.body)
      if (text === undefined) return false
      const broken = [
        text.slice(0, -1),
        `${text},`,
        text.replaceAll('"', "'"),
        `${text}x`,
        '{',
        '{"a":NaN}',
        '/**/{}',
        '\u0000',
        `{"a":${text}`,
        '{"a" 1}',
        '[1,]',
        "{'a':1}",
      ]
      draft.text = dice.pick(broken) ?? '{'
      return draft.text !== text && draft.text !== '[]'
    },
  },
  {
    kind: 'bytes that are no UTF-8',
    mustBeRefused: true,
    apply(draft, { dice }) {
      if (draft.body === undefined) return false
      draft.text = Buffer.concat([
        Buffer.from('{"name":"'),
        Buffer.from(dice.pick([[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]])),
        Buffer.from('"}'),
      ])
      return true
    },
  },
  {
    kind: 'another content type',
    mustBeRefused: true,
    apply(draft, { dice }) {
      if (!hasBody(draft)) return false
      const types = [
        'text/plain',
        'application/xml',
        'multipart/form-data; boundary=x',
        'application/x-www-form-urlencoded',
        'application/json-patch+json',
        'nonsense',
        '*/*',
        '/',
      ]
      draft.headers['content-type'] = dice.pick(types) ?? 'text/plain'
      return true
    },
  },
  {
    kind: 'no content type',
    mustBeRefused: true,
    apply(draft) {
      if (!hasBody(draft)) return false
      return delete draft.headers['content-type']
    },
  },
  {
    kind: 'an empty body',
    mustBeRefused: true,
    apply(draft, { dice }) {
      if (!hasBody(draft)) return false
      draft.text = dice.pick(['', '', '   ', '\ufeff'])
      return true
    },
  },
  {
    kind: 'no record',
    mustBeRefused: true,
    apply(draft, { dice }) {
      if (draft.body === undefined) return false
      draft.body = dice.pick([null, 7, 'text', true, [null], [[]], [7], ['text']])
      return true
    },
  },
  {
    kind: 'a body that is too long',
    mustBeRefused: true,
    apply(draft, { dice }) {
      // They cost more than all others together.
      if (draft.body === undefined || !dice.chance(0.1)) return false
      return withLiteral(draft, 'settings', `"${'x'.repeat(1_100_000)}"`)
    },
  },
  {
    kind: 'a packed body',
    mustBeRefused: true,
    apply(draft) {
      if (draft.body === undefined) return false
      draft.text = gzipSync(JSON.stringify(draft.body))
      draft.headers['content-encoding'] = 'gzip'
      return true
    },
  },
]
