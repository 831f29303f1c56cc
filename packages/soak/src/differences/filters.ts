import type { Dice } from '../requests/dice.ts'
import { type Component, fields, idNames } from './models.ts'
import { someRecord, someWord } from './values.ts'

/** Fields in whose text one can look for a part. */
const texts = new Set(['name', 'email', 'code', 'title', 'text', 'shelf'])

const comparing = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'not_in', 'is_null'] as const
const searching = ['contains', 'starts_with', 'ends_with', 'icontains', 'istarts_with', 'iends_with'] as const

interface Condition {
  readonly name: string
  readonly operator: string
  readonly words: readonly string[]
}

/** The part of a query that says which records are meant: a condition or two, groups among them. */
export function someFilter(component: Component, dice: Dice): string {
  const conditions = Array.from({ length: dice.integer(1, 2) }, () => {
    if (dice.chance(0.25)) return `${someGroup(dice)}=${encodeURIComponent(`(${someInside(component, dice, 3, 0)})`)}`
    const { name, operator, words } = someCondition(component, dice)
    const isList = operator === 'in' || operator === 'not_in'
    const value = words.map((word) => (isList && /[,"()]/.test(word) ? quoted(word) : word)).join(',')
    return `${name}[${operator}]=${encodeURIComponent(value)}`
  })
  return conditions.join('&')
}

function someGroup(dice: Dice): string {
  return dice.pick(['or', 'not', 'and'])
}

function someInside(component: Component, dice: Dice, most: number, depth: number): string {
  const parts = Array.from({ length: dice.integer(1, most) }, () => {
    if (depth < 2 && dice.chance(0.25)) return `${someGroup(dice)}(${someInside(component, dice, 2, depth + 1)})`
    const { name, operator, words } = someCondition(component, dice)
    const value = words.map(quoted).join(',')
    if (operator === 'is_null') return `${name}.${operator}.${words[0]}`
    return `${name}.${operator}.${operator === 'in' || operator === 'not_in' ? `(${value})` : value}`
  })
  return parts.join(',')
}

function someCondition(component: Component, dice: Dice): Condition {
  const id = idNames[component]
  const name = dice.chance(0.15) ? id : (dice.pick(fields[component]) ?? id)
  const operator = texts.has(name) || dice.chance(0.03) ? dice.pick([...comparing, ...searching]) : dice.pick(comparing)
  if (operator === 'is_null') return { name, operator, words: [dice.pick(['true', 'false', 'True', '0'])] }
  const isList = operator === 'in' || operator === 'not_in'
  const words = Array.from({ length: isList ? dice.integer(1, 3) : 1 }, () =>
    name === id ? someRecord(component, dice) : someWord(name, dice),
  )
  return { name, operator, words }
}

/** In double quotes, but for the name of a record. */
function quoted(word: string): string {
  return /^\{\w+:\d+\}$/.test(word) ? word : `"${word.replaceAll(/["\\]/g, '\\$&')}"`
}
