import { answerHeaders, mostOperations, type WireSchema } from '@strongroom/contract'
import type { AnyModel } from '@strongroom/core'
import { newSchema, patchSchema, savedSchema } from './record-schemas.ts'
import { reference } from './shelf.ts'
import { closed, type DescribedComponent, propertiesOf } from './source.ts'

/** The schemas of a batch: its operations, each with the bodies of its component, and their results. */
export function batchSchemas(components: readonly DescribedComponent[]): Readonly<Record<string, WireSchema>> {
  const operations = components.map(({ component }) => reference(`${component}.operation`))
  const records = components.map(({ component }) => reference(`${component}.record`))
  return {
    ...Object.fromEntries(components.map(({ component, model }) => [`${component}.operation`, operationSchema(component, model)])),
    'api.earlier': {
      type: 'string',
      description: 'A field of the record that an earlier operation answered, counted from 0.',
      pattern: '^\\$\\d{1,3}\\.[A-Za-z][A-Za-z0-9_]*$',
    },
    'api.batch': closed({ operations: { type: 'array', maxItems: mostOperations, items: oneOf(operations) } }),
    'api.batch-results': closed({
      results: {
        type: 'array',
        maxItems: mostOperations,
        items: {
          anyOf: [
            closed({ status: { type: 'integer', enum: [200, 201] }, record: oneOfAny(records), etag }, ['status', 'record']),
            closed({ status: { type: 'integer', const: 200 }, restored: { type: 'boolean' } }),
          ],
        },
      },
    }),
  }
}

const etag: WireSchema = {
  ...answerHeaders.ETag.schema,
  description: 'The version of the record as this operation left it; none where it was removed for good, and after a dry run.',
}

function oneOf(schemas: readonly WireSchema[]): WireSchema {
  return schemas.length === 1 && schemas[0] ? schemas[0] : { oneOf: schemas }
}

/** Records of several components may look alike. */
function oneOfAny(schemas: readonly WireSchema[]): WireSchema {
  return schemas.length === 1 && schemas[0] ? schemas[0] : { anyOf: schemas }
}

function operationSchema(component: string, model: AnyModel): WireSchema {
  const named = (method: string) => ({ method: { type: 'string', const: method }, component: { type: 'string', const: component } })
  const id: WireSchema = { type: ['string', 'integer'], description: 'The id of the record, or `$0.id` for that of an earlier one.' }
  const ifMatch: WireSchema = { type: 'string', description: 'Entity tags of which the record must have one.' }
  const flag: WireSchema = { type: 'boolean', default: false }
  const on = ['method', 'component', 'id']
  return {
    oneOf: [
      closed({ ...named('create'), body: withEarlier(newSchema(model)) }),
      closed({ ...named('save'), id, body: withEarlier(savedSchema(model)), replace: flag, if_match: ifMatch }, [...on, 'body']),
      closed({ ...named('patch'), id, body: withEarlier(patchSchema(model)), if_match: ifMatch }, [...on, 'body']),
      closed({ ...named('delete'), id, purge: flag, if_match: ifMatch }, on),
      ...(model.deletedAt ? [closed({ ...named('restore'), id, if_match: ifMatch }, on)] : []),
    ],
  }
}

/** A body whose fields may also stand for what an earlier operation answered. */
function withEarlier(schema: WireSchema): WireSchema {
  const properties = Object.entries(propertiesOf(schema)).map(([name, { default: value, ...own }]): [string, unknown] => {
    // what takes anything takes this, too
    const both = Object.keys(own).length === 0 ? own : { anyOf: [own, reference('api.earlier')] }
    return [name, value === undefined ? both : { ...both, default: value }]
  })
  return { ...schema, properties: Object.fromEntries(properties) }
}
