import { type AnyModel, Default, defineModel, type Migration, ModelAccessor, Ref } from '@strongroom/core'
import { Type } from 'typebox'

const Team = defineModel('teams', { name: Type.String() })
const team = () => Ref(() => Team)

/** The model, version by version: two migrations and what a start does by itself lead from the first to the last. */
export const versions: readonly AnyModel[] = [
  defineModel(
    'things',
    { code: Type.String(), amount: Type.String(), team_id: team(), note: Type.Optional(Type.String()) },
    { unique: [['code']], indexes: [['amount']] },
  ),
  defineModel(
    'things',
    { sku: Type.String(), amount: Type.Integer(), team_id: team(), note: Type.Optional(Type.String()) },
    { unique: [['sku']], indexes: [['amount']], renamedFields: { sku: 'code' } },
  ),
  defineModel(
    'things',
    { sku: Type.String(), amount: Type.Integer(), team_id: team(), label: Type.String() },
    { unique: [['sku']], indexes: [['amount']], renamedFields: { sku: 'code' } },
  ),
  defineModel(
    'things',
    {
      sku: Type.String(),
      amount: Type.Integer(),
      team_id: Type.Optional(team()),
      label: Type.String(),
      flag: Default(Type.Boolean(), true),
    },
    { unique: [['sku']], indexes: [['amount']], renamedFields: { sku: 'code' } },
  ),
]

export const last = versions.length - 1

export const migrations: readonly Migration[] = [
  {
    name: '001_amounts',
    checksum: '1',
    up: (_db, schema) =>
      schema.alterTable('things', {
        renameFields: { code: 'sku' },
        changeFields: { amount: { from: { type: 'text' }, to: { type: 'integer' } } },
      }),
  },
  {
    name: '002_labels',
    checksum: '1',
    up: async (db, schema) => {
      await schema.alterTable('things', {
        addFields: { label: { type: 'text', fill: 'small' } },
        dropFields: { note: { type: 'text', nullable: true, discard: true } },
      })
      await db.updateTable('things').set({ label: 'large' }).where('amount', '>', largest).execute()
    },
  },
]

/** Amounts above are called large. */
const largest = 10

/** The record of a number, in a version. */
export function recordOf(number: number, version: number): Readonly<Record<string, unknown>> {
  const [name, team_id] = [`c${number}`, (number % 2) + 1]
  if (version === 0) return { id: number, code: name, amount: String(number), team_id, note: null }
  const common = { id: number, sku: name, amount: number, team_id }
  if (version === 1) return { ...common, note: null }
  const labelled = { ...common, label: number > largest ? 'large' : 'small' }
  return version === 2 ? labelled : { ...labelled, flag: true }
}

/** The accessors of a version. */
export function accessorsOf(version: number): ModelAccessor<AnyModel>[] {
  return [versions[version], Team].flatMap((model) => (model ? [new ModelAccessor(model as AnyModel, model.name)] : []))
}
