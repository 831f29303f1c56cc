import { readJson } from '@strongroom/contract'
import type { Field } from '../../model/model.ts'

/** Turns a cell into a value. */
export type CellReader = (cell: string | null) => unknown

/** As far as a text is a number as JSON and JavaScript write them. */
const numberPattern = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

const truths: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['false', false],
  ['0', false],
  ['no', false],
])

/** How the cells of a field are read: the other way round of `csvCell`. A text that it cannot read stays one, which the field's check refuses. */
export function cellReader(field: Field): (cell: string) => unknown {
  switch (field.kind) {
    case 'integer':
    case 'number':
      return (cell) => (numberPattern.test(cell) ? Number(cell) : cell)
    case 'boolean':
      return (cell) => truths.get(cell.toLowerCase()) ?? cell
    case 'json':
      return readJsonCell
    default:
      return (cell) => field.fromJson(cell)
  }
}

/** Stands for a text that is no JSON: any text would be JSON data, and undefined is left out. */
export const notJson = Symbol('not JSON')

/** Stands for JSON with a whole number that would become another one. */
export const inexactJson = Symbol('inexact JSON')

function readJsonCell(cell: string): unknown {
  try {
    const { value, inexact } = readJson(cell)
    return inexact.length > 0 ? inexactJson : value
  } catch {
    return notJson
  }
}
