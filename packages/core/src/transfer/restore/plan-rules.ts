import type { CarriedRows, EndedRows, RowRules, RuledColumn, RuledValue } from '../../engine/row-rules.ts'
import type { AnyModel } from '../../model/model.ts'
import { makeRowVersion } from '../../model/row-version.ts'
import type { CarryRule, EndRule, RestoreModule } from './restore-modules.ts'

/** What modules want done, with all that another thread has to know of the tables. */
export function planRules(modules: readonly RestoreModule[], models: readonly AnyModel[], now: Date): RowRules {
  const carry = modules.flatMap((module) => (module.carry ?? []).map((rule) => planCarry(rule, modelOf(module, rule.table, models))))
  const ended = (rows: EndRule['rows']): EndedRows[] =>
    modules.flatMap((module) =>
      (module.end ?? []).filter((rule) => rule.rows === rows).map((rule) => planEnd(rule, modelOf(module, rule.table, models), now)),
    )
  return { endInFile: ended('file'), carry, endInAll: ended('all') }
}

function modelOf({ name }: RestoreModule, table: string, models: readonly AnyModel[]): AnyModel {
  const model = models.find((candidate) => candidate.name === table)
  if (!model) throw new Error(`What a restore does for ${name} names the table ${table}, which no model has.`)
  return model
}

function planCarry({ table, how, key, where }: CarryRule, model: AnyModel): CarriedRows {
  if (model.fields.some(({ reference }) => reference)) {
    throw new Error(`Rows of ${table} cannot be carried over: what they point to may not be there.`)
  }
  const keys = [[model.id.name], ...(key ? [key.map((name) => columnOf(model, name).name)] : [])]
  return { table, columns: model.fields.map(({ name }) => name), how, keys, where }
}

function planEnd({ table, where, set, stamp }: EndRule, model: AnyModel, now: Date): EndedRows {
  if (!set && !stamp) return { table, where, set: undefined }
  const fixed: RuledValue[] = Object.entries(set ?? {}).map(([name, value]) => ({ column: columnOf(model, name), value }))
  const stamped = (stamp ?? []).map((name): RuledValue => {
    const column = columnOf(model, name)
    return { column, value: column.kind === 'integer' ? now.getTime() : now }
  })
  const values = [...fixed, ...stamped]
  return { table, where, set: [...values, { column: columnOf(model, model.rowVersion.name), value: makeRowVersion() }] }
}

function columnOf(model: AnyModel, name: string): RuledColumn {
  const field = model.fields.find((candidate) => candidate.name === name)
  if (!field) throw new Error(`${model.name} has no field "${name}".`)
  return { name: field.name, kind: field.kind, ...(field.scale !== undefined && { scale: field.scale }) }
}
