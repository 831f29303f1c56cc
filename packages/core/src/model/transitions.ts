import { DefinitionFault } from './definition-fault.ts'
import type { Field } from './model.ts'

/** For a value of an enum, the values that may follow it. */
export type Moves = ReadonlyMap<unknown, readonly unknown[]>
/** The moves of each field that has any. */
export type Transitions = ReadonlyMap<string, Moves>

/** Reads the option `transitions`, whose fields are declared. Throws a DefinitionFault where it does not say for each value what may follow. */
export function readTransitions(given: Readonly<Record<string, unknown>>, fields: ReadonlyMap<string, Field>): Transitions {
  return new Map(Object.entries(given).map(([name, moves]) => [name, readMoves(`option transitions.${name}`, moves, fields.get(name))]))
}

function readMoves(option: string, given: unknown, field: Field | undefined): Moves {
  if (!field?.values || field.nullable) throw new DefinitionFault(`${option} is for an enum that is always there`)
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new DefinitionFault(`${option} must be an object that has a list of values for each value: { open: ['closed'], closed: [] }`)
  const byText = new Map(field.values.map((value) => [String(value), value]))
  const known = [...byText.keys()].join(', ')
  for (const name of Object.keys(given))
    if (!byText.has(name)) throw new DefinitionFault(`${option} names "${name}". The values are ${known}`)
  return new Map(
    [...byText].map(([name, value]) => {
      const following: unknown = Reflect.get(given, name)
      if (!Array.isArray(following))
        throw new DefinitionFault(`${option} has no list for "${name}": write "${name}: []" where nothing may follow`)
      for (const next of following)
        if (!byText.has(String(next)) || byText.get(String(next)) !== next)
          throw new DefinitionFault(`${option} lets "${String(next)}" follow "${name}". The values are ${known}`)
      return [value, Object.freeze([...following])]
    }),
  )
}

/** The field as it is, or with its moves in the description that OpenAPI documents show. */
export function withMoves(field: Field, transitions: Transitions): Field {
  const moves = transitions.get(field.name)
  if (!moves) return field
  const { description }: { readonly description?: unknown } = field.schema
  const sentences = [...moves].map(([from, to]) => (to.length > 0 ? `${String(from)} to ${to.join(', ')}` : `${String(from)} stays`))
  const text = `${typeof description === 'string' ? `${description} ` : ''}Updates may change it from ${sentences.join('; ')}.`
  return Object.freeze({ ...field, schema: { ...field.schema, description: text } })
}
