import { parseArgs } from 'node:util'
import { WrongUse } from '../faults.ts'
import { nearest } from './nearest.ts'
import type { Given, Option } from './option.ts'

/**
 * Reads a command's part of the command line.
 *
 * @throws WrongUse for an option that there is not, one that is given twice, and a value that is missing or too much
 */
export function readArguments(args: readonly string[], options: readonly Option[]): Given {
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      options.map(({ name, short, value }) => [
        name,
        { type: value === undefined ? 'boolean' : 'string', ...(short !== undefined && { short }) } as const,
      ]),
    ),
  })
  const positionals: string[] = []
  const found = new Map<string, string[]>()
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const option = options.find(({ name }) => name === token.name)
    if (!option) throw unknownOption(token.rawName, options)
    const earlier = found.get(option.name)
    if (earlier && option.value !== undefined && !option.repeated) throw new WrongUse(`${token.rawName} is given twice.`)
    found.set(option.name, [...(earlier ?? []), readValue(option, token)])
  }
  return {
    positionals,
    has: (name) => found.has(name),
    text: (name) => found.get(name)?.[0],
    all: (name) => found.get(name) ?? [],
  }
}

interface OptionToken {
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

function readValue(option: Option, { rawName, value, inlineValue }: OptionToken): string {
  if (option.value === undefined) {
    if (value !== undefined) throw new WrongUse(`${rawName} takes no value.`)
    return ''
  }
  // `-` alone stands for a standard stream; what else begins with a dash is rather the next option.
  const isMissing = value === undefined || value === '' || (inlineValue !== true && /^-./.test(value))
  if (isMissing) throw new WrongUse(`${rawName} needs a value: ${rawName} ${option.value}.`)
  return value
}

function unknownOption(rawName: string, options: readonly Option[]): WrongUse {
  const names = options.map(({ name }) => `--${name}`)
  const meant = nearest(rawName, names)
  return new WrongUse(
    `There is no option ${rawName}.${meant === undefined ? ` There are ${names.join(', ')}.` : ` Did you mean ${meant}?`}`,
  )
}

/** A value that is one of some words. Throws WrongUse that names them. */
export function oneOf<Word extends string>(given: Given, name: string, words: readonly Word[]): Word | undefined {
  const value = given.text(name)
  if (value === undefined) return undefined
  const word = words.find((known) => known === value)
  if (word === undefined) throw new WrongUse(`--${name} is one of ${words.join(', ')}.`)
  return word
}

/** A list that commas separate; the option may also be repeated. */
export function listOf(given: Given, name: string): string[] | undefined {
  if (!given.has(name)) return undefined
  return given
    .all(name)
    .flatMap((value) => value.split(','))
    .filter((value) => value !== '')
}
