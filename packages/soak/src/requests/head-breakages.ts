import type { Breakage } from './breakage.ts'
import type { Dice } from './dice.ts'
import type { Schema } from './document.ts'
import { copyOf, type Draft } from './request.ts'

const takes = ({ operation }: Draft, name: string): boolean =>
  operation.parameters.some((parameter) => parameter.in === 'header' && parameter.name === name)

const setHeader = (name: string, values: readonly [string, ...string[]]): Breakage['apply'] => {
  return (draft, { dice }) => {
    if (!takes(draft, name)) return false
    draft.headers[name.toLowerCase()] = dice.pick(values)
    return true
  }
}

const oddIds = [
  '..',
  '.',
  '%2e%2e',
  '%2E',
  '%2f',
  '..%2f..%2fetc%2fpasswd',
  '%00',
  'a%00b',
  '%zz',
  '%ff',
  '%',
  '%ED%A0%80',
  '1e3',
  '-1',
  '0',
  '+1',
  '1.0',
  '0x1',
  '%EF%BC%91',
  '1%20',
  '%201',
  '9007199254740993',
  '9'.repeat(400),
  'null',
  'undefined',
  '[object%20Object]',
  "'%20OR%201=1",
  '__proto__',
  'constructor',
  '%F0%9F%8E%88',
  '*',
  '{id}',
  ':id',
  'true',
  '00000000-0000-0000-0000-000000000000',
  'a'.repeat(10_000),
  '%25'.repeat(2_000),
  'a;b',
  'a,b',
  '~',
  '%0d%0aX-Evil:%201',
] as const

/** Where PUT makes records at any text, an odd one may have made one at the odd id. */
const neverThere = (draft: Draft): boolean => {
  const schema = draft.operation.parameters.find((parameter) => parameter.in === 'path')?.schema
  return !makesRecords(draft) && (schema?.type !== 'string' || schema.format !== undefined)
}

/** Where an id that is not there makes a record. */
const makesRecords = (draft: Draft): boolean => draft.method === 'PUT'

/** What is wrong with the headers and the path. */
export const headBreakages: readonly Breakage[] = [
  {
    kind: 'a required header left out',
    mustBeRefused: true,
    apply(draft, { dice }) {
      const name = dice.pick(
        draft.operation.parameters.filter((parameter) => parameter.in === 'header' && parameter.required === true),
      )?.name
      return name !== undefined && delete draft.headers[name.toLowerCase()]
    },
  },
  {
    kind: 'a bad X-User',
    mustBeRefused: true,
    apply: setHeader('X-User', ['', '   ', 'x'.repeat(256), 'é'.repeat(256), 'a\tb', '\x80\x85']),
  },
  {
    kind: 'X-User twice',
    mustBeRefused: true,
    apply(draft) {
      if (!takes(draft, 'X-User')) return false
      draft.headers['x-user'] = ['ada', 'eve']
      return true
    },
  },
  { kind: 'a bad Idempotency-Key', mustBeRefused: true, apply: setHeader('Idempotency-Key', ['x'.repeat(256), '', 'é', 'a\tb']) },
  {
    kind: 'an Idempotency-Key that was used for another request',
    mustBeRefused: true,
    apply(draft, { keyed }) {
      const name = 'dry_run'
      if (!keyed || !draft.operation.parameters.some((parameter) => parameter.name === name)) return false
      const isSaid = keyed.query.some(([known]) => known === name)
      const query: Draft['query'] = isSaid ? keyed.query.filter(([known]) => known !== name) : [...keyed.query, [name, 'false']]
      Object.assign(draft, copyOf(keyed), { query })
      return true
    },
  },
  { kind: 'a bad X-Request-Id', mustBeRefused: true, apply: setHeader('X-Request-Id', ['x'.repeat(129), 'é', 'a\tb', 'x'.repeat(4_000)]) },
  { kind: 'a stale If-Match', mustBeRefused: true, apply: setHeader('If-Match', ['"stale"', '"stale", "older"', 'W/"weak"']) },
  {
    kind: 'a bad If-Match',
    mustBeRefused: true,
    apply: setHeader('If-Match', ['stale', '"open', '', '"a" "b"', ',', '**', `"${'x'.repeat(6_000)}"`]),
  },
  {
    kind: 'a bad If-None-Match',
    mustBeRefused: false,
    apply: setHeader('If-None-Match', ['stale', '"open', '', ',', 'W/"weak"', '"a" "b"']),
  },
  {
    kind: 'other headers',
    mustBeRefused: false,
    apply(draft, { dice }) {
      const [name, value] = dice.pick([
        ['accept', 'application/xml'],
        ['accept', '\xff'],
        ['range', 'bytes=0-1'],
        ['expect', '100-continue'],
        ['x-forwarded-host', 'evil.example'],
        ['x-http-method-override', 'DELETE'],
        ['cookie', 'a'.repeat(4_000)],
        ['if-modified-since', 'never'],
        ['content-language', '\xe9'],
        ['authorization', 'Basic !!!'],
      ] as const)
      draft.headers[name] = value
      return true
    },
  },
  {
    kind: 'an id that is not there',
    mustBeRefused: (draft) => !makesRecords(draft),
    apply(draft, { dice }) {
      const id = draft.operation.parameters.find((parameter) => parameter.in === 'path')
      return id !== undefined && setId(draft, absentId(id.schema, dice))
    },
  },
  {
    kind: 'an odd id',
    mustBeRefused: neverThere,
    apply: (draft, { dice }) => setId(draft, dice.pick(oddIds)),
  },
]

/** Large and random: ids are counted from 1 on, and PUT may have made records at texts that were sent before. */
function absentId({ type, format }: Schema, dice: Dice): string {
  const number = dice.integer(2 ** 46, 2 ** 47)
  if (type === 'integer') return String(number)
  const hex = number.toString(16).padStart(12, '0')
  return format === 'uuid' ? `00000000-0000-7000-8000-${hex}` : `no-such-${hex}`
}

function setId(draft: Draft, written: string): boolean {
  if (!draft.operation.path.includes('{')) return false
  draft.path = draft.operation.path.replace(/\{\w+\}/, () => written)
  return true
}
