import { inspect } from 'node:util'
import { UsageError } from '@strongroom/core'
import type { Static, TSchema } from 'typebox'
import { fits } from './fits.ts'
import { Secret } from './secret.ts'
import { allowedValue, type SettingName, settingNames, settingRow, type settingsTable } from './settings-table.ts'

type Table = typeof settingsTable
type ValueOf<Row> = Row extends { secret: unknown } ? Secret : Row extends { schema: infer Schema } ? StaticOf<Schema> : never
type StaticOf<Schema> = Schema extends TSchema ? Static<Schema> : never

/** Every setting with its value; those that have no default may be undefined. */
export type Settings = {
  readonly [Name in SettingName]: Table[Name] extends { default: unknown } ? ValueOf<Table[Name]> : ValueOf<Table[Name]> | undefined
}

/** What a program says instead of the defaults: wins over nothing that was given, in code or in the environment. */
export type SettingDefaults = {
  readonly [Name in SettingName as Table[Name] extends { secret: unknown } ? never : Name]?: ValueOf<Table[Name]> | undefined
}

/** Values that were given in code, by the names of the variables that they win over. */
export type GivenSettings = { readonly [Name in SettingName]?: unknown }

/** Variables with their text. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Text that is no value of its setting. */
const unreadable = Symbol('unreadable')

/**
 * Reads every setting: from code, else the environment, else what the program says instead of its default, else that. An empty variable is
 * one that is not set.
 * Throws UsageError `invalid_settings`, which lists every setting that is bad with what it may be; it tells no secret.
 */
export function readSettings(given: GivenSettings, environment: Environment, defaults: SettingDefaults = {}): Settings {
  const faults: string[] = []
  const values = settingNames.map((name) => {
    const row = settingRow(name)
    const text = environment[name] || undefined
    const fallback = (defaults as GivenSettings)[name] ?? row.default
    const value = given[name] ?? (text === undefined ? fallback : readText(name, text))
    if (value === undefined) return [name, undefined] as const
    if (value === unreadable || !fits(row.schema, value)) {
      faults.push(fault(name, given[name] ?? text ?? fallback, placeOf(given[name], text)))
      return [name, undefined] as const
    }
    return [name, row.secret && typeof value === 'string' ? new Secret(value, row.secret(value)) : value] as const
  })
  if (faults.length > 0) throw new UsageError('invalid_settings', `The settings cannot be used. ${faults.join(' ')}`)
  // Each value was held against its schema above.
  return Object.freeze(Object.fromEntries(values)) as Settings
}

/** Where a value was found. */
type Place = 'option' | 'variable' | 'default'

function placeOf(given: unknown, text: string | undefined): Place {
  if (given !== undefined) return 'option'
  return text === undefined ? 'default' : 'variable'
}

function fault(name: SettingName, found: unknown, place: Place): string {
  const { option, secret } = settingRow(name)
  const subject = { option: `The option ${option}`, variable: `The variable ${name}`, default: `The option defaults.${name}` }[place]
  const shown = place === 'variable' ? `"${found}"` : inspect(found)
  return `${subject} is ${allowedValue(name)}${secret ? '' : `, not ${shown}`}.`
}

const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  1: true,
  yes: true,
  on: true,
  false: false,
  0: false,
  no: false,
  off: false,
}

function readText(name: SettingName, text: string): unknown {
  // TypeBox's types say nothing of the members of a schema that is not known.
  const { type } = settingRow(name).schema as { readonly type?: string }
  if (type === 'integer') return /^\d{1,15}$/.test(text) ? Number(text) : unreadable
  if (type === 'boolean') return booleans[text.toLowerCase()] ?? unreadable
  if (type === 'array') return text.split(',').flatMap((item) => item.trim() || [])
  return text
}
