import type { Dice } from '../requests/dice.ts'
import { references } from './models.ts'

const texts = [
  '',
  'a',
  'A',
  'b',
  'ab',
  'Ab',
  'aB',
  'ba',
  'a b',
  ' a',
  'a ',
  'a%',
  'a_',
  '%',
  '_',
  '\\',
  'a\\%',
  "'",
  '"',
  'a,b',
  '(a)',
  'é',
  'É',
  'e\u0301',
  'ß',
  'ẞ',
  'SS',
  'ı',
  'İ',
  'i',
  'I',
  'ſ',
  's',
  '\u212A',
  'k',
  'σ',
  'ς',
  'Σ',
  'ǆ',
  'ǅ',
  'Ǆ',
  '\uFFFF',
  '\uE000',
  '😀',
  '😀a',
  'null',
  '1',
  '10',
  '2',
  '-1',
  '\n',
  '\t',
  '\u0001',
  '\u007f',
  '\u200b',
  'ﬁ',
  'FI',
  'Ω',
  'Ω',
] as const // prettier-ignore

const integers = [
  0, 1, 2, 3, -1, -0, 10, 255, 2147483647, 2147483648, -2147483648, -2147483649, 9007199254740991, -9007199254740991,
] as const
const numbers = [
  0,
  -0,
  0.1,
  0.2,
  0.30000000000000004,
  1,
  1.5,
  -1.5,
  1e21,
  1e-7,
  123456789.12345679,
  1e308,
  -1e308,
  5e-324,
  2.2250738585072014e-308,
  2 ** 60,
  3,
] as const
const decimals = [
  '0',
  '-0',
  '1',
  '1.5',
  '1.50',
  '0.0001',
  '-0.0001',
  '99999999999999.9999',
  '-99999999999999.9999',
  2,
  0.1,
  1e-3,
  1234567890.5,
] as const
const int64s = ['0', '1', '-1', '9223372036854775807', '-9223372036854775808', '9007199254740993', 5, '-0'] as const
const instants = [
  '2026-01-01T00:00:00Z',
  '2026-01-01T00:00:00.000Z',
  '2026-01-01T01:00:00+01:00',
  '2025-12-31T23:59:59.999Z',
  '2026-01-01T00:00:00.001Z',
  '2026-01-01T00:00:00.0015Z',
  '2026-01-01T00:00:00.0005Z',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '1969-12-31T23:59:59.9995Z',
  '2000-02-29T12:00:00-23:59',
  '1582-10-10T00:00:00Z',
] as const // prettier-ignore
const dates = ['2026-01-01', '2025-12-31', '0001-01-01', '9999-12-31', '2000-02-29', '1582-10-10'] as const
const documents = [
  {},
  [],
  { a: 1 },
  { b: 1, a: 2 },
  { a: 2, b: 1 },
  { a: { b: { c: null } } },
  [1, 'a', null, true],
  'text',
  '',
  0,
  -0,
  1e21,
  1e-7,
  0.1,
  true,
  false,
  { 'a b': 'é', '': '\u0001' },
  [[]],
  { a: [{}] },
  1e308,
  9007199254740991,
  { n: 5e-324 },
  { __a: 1 },
  '😀',
  { '10': 1, '9': 2 },
  { é: 1, z: 2 },
] as const // prettier-ignore
const bytes = ['', 'AA==', 'AAA=', '/+8=', 'YQ==', 'AP8A'] as const

/** Values that each field may be given, odd ones among them; what is not listed is text. */
const ofField: Readonly<Record<string, readonly unknown[]>> = {
  role: ['writer', 'editor', 'Éditeur'],
  age: integers,
  weight: numbers,
  active: [true, false],
  balance: decimals,
  visits: int64s,
  seen: instants,
  born: dates,
  settings: documents,
  photo: bytes,
  limit: [0, 1, 2, 3],
  words: [0, 1, 2, 100, 5000],
  scores: [[], [1], [1, 2, 3], [5, 4, 3, 2, 1]],
  stars: [1, 2, 3, 4, 5],
  place: [0, 1, 2],
  shelf: ['a', 'b', 'A'],
  colour: ['red', 'green', 'blue'],
}

/** What most fields have to refuse, on both sides alike. */
const wrong = [
  'x',
  5,
  1.5,
  true,
  [],
  {},
  [1],
  null,
  '2026',
  '',
  'Writer',
  '0.00001',
  '100000000000000',
  '1e2',
  '01',
  '.5',
  '9223372036854775808',
  '1.0',
  '1900-02-29T00:00:00Z',
  '2016-12-31T23:59:60Z',
  '2026-01-01',
  '2026-01-01T24:00:00Z',
  '0044-03-15T00:00:00Z',
  '1900-02-29',
  '2026-1-1',
  '0000-01-01',
  'YQ',
  'YR==',
  '_-8=',
  [1, 1, 1, 1, 1, 1],
  ['a'],
  6,
  '\u0000',
  '\ud800',
]

/** The name of a record that is there on both sides, under an id of its own on each. */
export function someRecord(component: string, dice: Dice): string {
  return `{${component}:${dice.integer(0, 1_000_000)}}`
}

/** A value for a field: mostly one that fits it. */
export function someValue(field: string, dice: Dice): unknown {
  const target = references[field]
  // A number would be the id of another record on each side.
  if (target) return dice.chance(0.01) ? dice.pick(['x', true, null]) : someRecord(target, dice)
  if (dice.chance(0.04)) return dice.pick(wrong)
  const known = ofField[field] ?? texts
  // Two texts together are mostly unlike all others, so that unique fields are not soon used up.
  if (known === texts && dice.chance(0.3)) return `${dice.pick(texts)}${dice.pick(texts)}`
  return dice.pick(known)
}

/** The same in a query. */
export function someWord(field: string, dice: Dice): string {
  const value = someValue(field, dice)
  return (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed()
}

export const textIds = [
  'a',
  'A',
  'b',
  'é',
  'É',
  '10',
  '9',
  ' ',
  'a b',
  'a/b',
  '%',
  '_',
  '😀',
  '\uFFFF',
  'x.y',
  'aggregate',
  '..',
  'null',
  '+',
  'a,b',
  "'",
] as const

/** Ids below and above those that are made. */
export const chosenUuids = [
  '00000000-0000-7000-8000-000000000001',
  '00000000-0000-7000-8000-000000000002',
  'ffffffff-ffff-7fff-bfff-fffffffffffe',
  'FFFFFFFF-FFFF-7FFF-BFFF-FFFFFFFFFFFF',
] as const
