import type { WireSchema } from '@strongroom/contract'
import { type AnyModel, type Field, jsonSchemaOf } from '@strongroom/core'
import { visibleFields } from '../query.ts'
import { measuresOf } from './parameters.ts'
import { reference } from './shelf.ts'
import { closed, type DescribedComponent, type Json, orNull, plain, propertiesOf } from './source.ts'

/** The schemas of one component: its records as they are read, made, saved and patched, and groups of them. */
export function recordSchemas(described: DescribedComponent, all: readonly DescribedComponent[]): Readonly<Record<string, WireSchema>> {
  const { component, model } = described
  return {
    [`${component}.record`]: readSchema(model),
    [`${component}.selected`]: selectedSchema(described, all),
    [`${component}.past`]: pastSchema(model),
    [`${component}.new`]: newSchema(model),
    [`${component}.saved`]: savedSchema(model),
    [`${component}.patch`]: patchSchema(model),
    [`${component}.group`]: groupSchema(model),
  }
}

function readSchema(model: AnyModel): WireSchema {
  return withoutNull(model, plain(jsonSchemaOf(model, 'read')))
}

/** The schema of a record to insert. */
export function newSchema(model: AnyModel): WireSchema {
  return withoutNull(model, plain(jsonSchemaOf(model, 'insert')))
}

/** A record of which `fields` chose some, and with what `include` read along. */
function selectedSchema(described: DescribedComponent, all: readonly DescribedComponent[]): WireSchema {
  const along = (described.inclusions?.() ?? []).map(({ name, side, model: other }): [string, WireSchema] => {
    const home = all.find((candidate) => candidate.model === other)
    const record = home ? reference(`${home.component}.record`) : readSchema(other)
    return [name, side === 'one' ? orNull(record) : { type: 'array', items: record }]
  })
  return { ...closed({ ...propertiesOf(readSchema(described.model)), ...Object.fromEntries(along) }, []), minProperties: 1 }
}

/** A record as it was: by the rules of then, with null for what the model did not have yet. */
function pastSchema(model: AnyModel): WireSchema {
  const properties = visibleFields(model).map(({ name, kind }): [string, Json] => [name, wireTypes[kind]])
  return { ...closed(Object.fromEntries(properties), []), minProperties: 1, description: 'A record as it was at an instant.' }
}

const textOrNull: Json = { type: ['string', 'null'] }

/** What values of a field look like in JSON, whatever else its model asks of them. */
const wireTypes: Readonly<Record<Field['kind'], Json>> = {
  boolean: { type: ['boolean', 'null'] },
  integer: { type: ['integer', 'null'] },
  number: { type: ['number', 'null'] },
  int64: textOrNull,
  decimal: textOrNull,
  datetime: textOrNull,
  date: textOrNull,
  uuid: textOrNull,
  text: textOrNull,
  bytes: textOrNull,
  json: {},
}

/** A record that is saved may be the whole one as it was read, or any part of it; one that is made may have what cannot be set later. */
export function savedSchema(model: AnyModel): WireSchema {
  const made = Object.entries(propertiesOf(newSchema(model))).map(([name, { default: _, ...schema }]) => [name, schema])
  return closed({ ...propertiesOf(readSchema(model)), ...Object.fromEntries(made), ...propertiesOf(updateSchema(model)) }, [])
}

/** The schema of a merge patch: an object for a JSON field is merged into what stands there, and need not be whole. */
export function patchSchema(model: AnyModel): WireSchema {
  const schema = updateSchema(model)
  const properties = Object.entries(propertiesOf(schema)).map(([name, own]): [string, unknown] => {
    const field = model.fieldsByName.get(name)
    if (field?.kind !== 'json' || Object.keys(field.schema).length === 0) return [name, own]
    return [name, { anyOf: [own, { type: 'object', description: 'Merged into what stands there.', additionalProperties: true }] }]
  })
  return { ...schema, properties: Object.fromEntries(properties) }
}

function updateSchema(model: AnyModel): WireSchema {
  return withoutNull(model, plain(jsonSchemaOf(model, 'update')))
}

/** Json without a schema may be anything; where the field takes no null it says so. */
function withoutNull(model: AnyModel, schema: WireSchema): WireSchema {
  const properties = Object.entries(propertiesOf(schema)).map(([name, own]): [string, unknown] => {
    const field = model.fieldsByName.get(name)
    const isOpen = field?.kind === 'json' && !field.nullable && Object.keys(field.schema).length === 0
    return [name, isOpen ? { ...own, not: { type: 'null' } } : own]
  })
  return { ...schema, properties: Object.fromEntries(properties) }
}

/** A row of an aggregate has what was asked for: fields to group by, and measures. */
function groupSchema(model: AnyModel): WireSchema {
  const fields = visibleFields(model)
  const properties = new Map<string, WireSchema[]>()
  const add = (name: string, schema: WireSchema): void => void properties.set(name, [...(properties.get(name) ?? []), schema])
  add('count', { type: 'integer', minimum: 0 })
  const read = propertiesOf(readSchema(model))
  for (const field of fields) {
    if (field.kind !== 'json') add(field.name, read[field.name] ?? {})
    for (const measure of measuresOf(field.kind)) add(`${measure}_${field.name}`, measureSchema(field, measure))
  }
  // A field may be called like a measure; which of them it is depends on the question.
  const members = [...properties].map(([name, schemas]): [string, unknown] => [
    name,
    schemas.length === 1 ? schemas[0] : { anyOf: schemas },
  ])
  return { ...closed(Object.fromEntries(members), []), minProperties: 1 }
}

/** Sums travel like their field, and may be larger than one value of it. A measure of nothing is null. */
function measureSchema({ kind, schema, scale = 0 }: Field, measure: 'sum' | 'avg' | 'min' | 'max'): Json {
  if (measure === 'avg') return { type: ['number', 'null'] }
  if (measure !== 'sum') return orNull(plain(schema))
  if (kind === 'integer' || kind === 'number') return { type: [kind, 'null'] }
  const fraction = kind === 'decimal' && scale > 0 ? `\\.\\d{${scale}}` : ''
  return { type: ['string', 'null'], pattern: `^-?\\d+${fraction}$` }
}
