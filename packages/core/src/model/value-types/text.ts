/// <reference lib="es2024.string" />
import type { TSchema } from 'typebox'
import Format from 'typebox/format'
import { DefinitionFault } from '../definition-fault.ts'
import { publishedSchema } from './published-schema.ts'
import { remainingCheck } from './schema-check.ts'
import { same, type ValueType } from './value-type.ts'

/** What is wrong with a text on every engine alike: NUL ends it on one, and half a surrogate pair is replaced on another. */
export function textProblem(value: string): string | undefined {
  if (value.includes('\0')) return 'must not contain the character NUL (U+0000)'
  return value.isWellFormed() ? undefined : 'must not contain half of a surrogate pair'
}

/** Characters are code points, as PostgreSQL and JSON Schema count them. */
export function isLongerThan(value: string, characters: number): boolean {
  return value.length > characters && (value.length > 2 * characters || characterCount(value) > characters)
}

function isShorterThan(value: string, characters: number): boolean {
  return value.length < characters || (value.length < 2 * characters && characterCount(value) < characters)
}

function characterCount(value: string): number {
  let count = 0
  for (const _ of value) count++
  return count
}

const checkedKeywords = ['type', 'minLength', 'maxLength', 'pattern', 'format']

/** A `Type.String`. Throws a sentence, as DefinitionFault, when the schema cannot be kept. */
export function textType(schema: TSchema): ValueType {
  const { minLength, maxLength, pattern, format }: TextKeywords = schema
  const length = lengthCheck(countOf('minLength', minLength), countOf('maxLength', maxLength))
  const checks = [length, patternCheck(pattern), formatCheck(format), remainingCheck(schema, checkedKeywords)].filter(
    (check) => check !== undefined,
  )
  return {
    kind: 'text',
    schema: publishedSchema(schema),
    ...(typeof maxLength === 'number' && { maxLength }),
    check: (value) => {
      if (typeof value !== 'string') return 'must be text'
      const problem = textProblem(value)
      if (problem !== undefined) return problem
      for (const check of checks) {
        const found = check(value)
        if (found !== undefined) return found
      }
      return undefined
    },
    normalise: same,
    toJson: same,
    fromJson: same,
  }
}

interface TextKeywords {
  readonly minLength?: unknown
  readonly maxLength?: unknown
  readonly pattern?: unknown
  readonly format?: unknown
}

type TextCheck = (value: string) => string | undefined

function countOf(keyword: string, value: unknown): number | undefined {
  if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)) return value
  throw new DefinitionFault(`has a ${keyword} that is not a whole number from 0 on`)
}

function lengthCheck(least: number | undefined, most: number | undefined): TextCheck | undefined {
  if (least === undefined && most === undefined) return undefined
  if (least !== undefined && most !== undefined && least > most) throw new DefinitionFault('has a minLength above its maxLength')
  return (value) => {
    if (least !== undefined && isShorterThan(value, least))
      return least === 1 ? 'must not be empty' : `must have at least ${least} characters`
    if (most !== undefined && isLongerThan(value, most)) return `must have at most ${most} character${most === 1 ? '' : 's'}`
    return undefined
  }
}

function patternCheck(pattern: unknown): TextCheck | undefined {
  if (pattern === undefined) return undefined
  const expression = compilePattern(pattern)
  return (value) => (expression.test(value) ? undefined : `must match the pattern ${expression.source}`)
}

function compilePattern(pattern: unknown): RegExp {
  // The flags g and y would make the answer depend on the question before.
  if (pattern instanceof RegExp) return new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ''))
  if (typeof pattern !== 'string') throw new DefinitionFault('has a pattern that is neither text nor a RegExp')
  try {
    return new RegExp(pattern, 'u')
  } catch {
    throw new DefinitionFault(`has a pattern that is not a regular expression: ${pattern}`)
  }
}

function formatCheck(format: unknown): TextCheck | undefined {
  if (format === undefined) return undefined
  if (typeof format !== 'string' || !Format.Has(format)) {
    const known = Format.Entries().map(([name]) => name)
    throw new DefinitionFault(
      `has the unknown format "${String(format)}". There are ${known.join(', ')}; others are added with Format.Set from typebox/format`,
    )
  }
  return (value) => (Format.Test(format, value) ? undefined : `must be a valid ${format}`)
}
