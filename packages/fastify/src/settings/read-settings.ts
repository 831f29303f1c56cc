import { inspect } from 'node:util'
import { UsageError } from '@strongroom/core'
import type { Static } from 'typebox'
import { Check } from 'typebox/value'
import { Secret } from './secret.ts'
import { allowedValue, type SettingName, settingNames, settingRow, type settingsTable } from './settings-table.ts'

type Table = typeof settingsTable
type ValueOf<Row> = Row extends { secret: unknown } ? Secret : Row extends { schema: infer Schema } ? StaticOf<Schema> : never
type StaticOf<Schema> = Schema extends Parameters<typeof Check>[0] ? Static<Schema> : never

/** Every setting with its value; those that have no default may be undefined. */
export type Settings = {
  readonly [Name in SettingName]: Table[Name] extends { default: unknown } ? ValueOf<Table[Name]> : ValueOf<Table[Name]> | undefined
}

/** Values that were given in code, by the names of the variables that they win over. */
export type GivenSettings = { readonly [Name in SettingName]?: unknown }

/** Variables with their text. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Text that is no value of its setting. */
const unreadable = Symbol('unreadable')

/**
 * Reads every setting: from code, else the environment, else its default. An empty variable is one that is not set.
 * Throws UsageError `invalid_settings`, which lists every setting that is bad with what it may be; it tells no secret.
 */
export function readSettings(given: GivenSettings, environment: Environment): Settings {
  const faults: string[] = []
  const values = settingNames.map((name) => {
    const row = settingRow(name)
    const text = environment[name] || undefined
    const value = given[name] ?? (text === undefined ? row.default : readText(name, text))
    if (value === undefined) return [name, undefined] as const
    if (value === unreadable || !Check(row.schema, value)) {
      faults.push(fault(name, given[name] === undefined ? `"${text}"` : inspect(given[name]), given[name] !== undefined))
      return [name, undefined] as const
    }
    return [name, row.secret && typeof value === 'string' ? new Secret(value, row.secret(value)) : value] as const
  })
  if (faults.length > 0) throw new UsageError('invalid_settings', `The settings cannot be used. ${faults.join(' ')}`)
  // Each value was held against its schema above.
  return Object.freeze(Object.fromEntries(values)) as Settings
}

function fault(name: SettingName, found: string, inCode: boolean): string {
  const { option, secret } = settingRow(name)
  const subject = inCode ? `The option ${option}` : `The variable ${name}`
  return `${subject} is ${allowedValue(name)}${secret ? '' : `, not ${found}`}.`
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
