import type { AnyModel, Field } from '../../model/model.ts'
import { secretMark } from '../../model/record-json.ts'
import { unknownField } from '../../model/validate-record.ts'
import { type CellReader, cellReader, inexactJson, notJson } from './read-cell.ts'

/** A column of a file, as its header names it. */
export interface Column {
  readonly field: Field
  /** Turns a cell into code form; what it cannot read it hands on, for the field's check to refuse. */
  readonly read: CellReader
}

export type ImportMode = 'insert' | 'upsert'

/** What a file is read as. */
export interface ReadingRules {
  readonly mode: ImportMode
  /** Whether cells of a field may be the mark that an export puts there. */
  readonly masked: (field: Field) => boolean
  /** Who imports belongs to a tenant, whose new records are its own. */
  readonly ofTenant: boolean
}

/** Finds the field of each column. Tells `fault` what keeps the header from being used, and answers undefined then. */
export function readHeader(
  model: AnyModel,
  header: readonly (string | null)[],
  rules: ReadingRules,
  fault: (field: string, message: string) => void,
): readonly Column[] | undefined {
  const columns: Column[] = []
  const seen = new Set<string>()
  let sound = true
  const refuse = (field: string, message: string): void => {
    sound = false
    fault(field, message)
  }
  header.forEach((name, index) => {
    const field = name === null ? undefined : model.fieldsByName.get(name)
    if (name === null || name === '') refuse('', `column ${index + 1} has no name`)
    else if (!field || field.hidden) refuse(unknownField(model, name).path, unknownColumn(model, name, header.length))
    else if (seen.has(name)) refuse(name, 'is there twice')
    else columns.push({ field, read: columnReader(field, rules) })
    if (name !== null) seen.add(name)
  })
  for (const field of model.fields) {
    if (field.hidden || seen.has(field.name) || !isNeeded(model, field, rules)) continue
    refuse(field.name, 'is required, and there is no such column')
  }
  return sound ? columns : undefined
}

function unknownColumn(model: AnyModel, name: string, columns: number): string {
  const { message } = unknownField(model, name)
  return columns === 1 && /[;\t|]/.test(name) ? `${message} Cells are separated by commas.` : message
}

/** Upserts may leave out what the records have already. */
function isNeeded(model: AnyModel, field: Field, { mode, ofTenant }: ReadingRules): boolean {
  if (field === model.tenant && ofTenant) return false
  return field === model.id ? !field.optional : mode === 'insert' && !field.optional
}

function columnReader(field: Field, { mode, masked }: ReadingRules): CellReader {
  const read = cellReader(field)
  // An id or a stamp that is empty is made as for any new record.
  const empty = field.role !== 'data' && !field.nullable && field.optional ? undefined : null
  const unmasked = mode === 'insert' && field.nullable ? null : undefined
  return (cell) => {
    if (cell === null) return empty
    return cell === secretMark && masked(field) ? unmasked : read(cell)
  }
}

/** What is wrong with a value that a column has read; undefined when nothing is. */
export function problemWith({ field }: Column, value: unknown, cell: string | null, { mode }: ReadingRules): string | undefined {
  if (value === undefined && cell === secretMark && mode === 'insert' && !field.optional)
    return 'is required, and masked here: export with secrets: "include"'
  if (value === notJson) return 'must be JSON'
  if (value === inexactJson) return 'has a whole number that is more than a JSON number carries exactly; write it as text'
  if (value === undefined) return undefined
  if (value !== null) return field.check(value)
  if (field.nullable) return undefined
  return field.kind === 'text' ? 'must not be null; an empty text is written ""' : 'must not be null'
}
