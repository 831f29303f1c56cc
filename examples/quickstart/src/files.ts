import type { AnyModel, WriteOptions } from '@strongroom/core'
import { countries, navaids, regions } from './models.ts'

/** A line of a CSV file by its header's names. */
export type Cells = Readonly<Record<string, string>>

/** A CSV file, and what the loader needs of the accessor that its rows go to. */
export interface DataFile {
  readonly name: string
  readonly accessor: {
    readonly component: string
    readonly model: AnyModel
    insertMany(records: readonly object[], options: WriteOptions): Promise<object>
  }
}

/** In the order of their references. */
export const files: readonly DataFile[] = [
  { name: 'countries.csv', accessor: countries },
  { name: 'regions.csv', accessor: regions },
  { name: 'navaids.csv', accessor: navaids },
]

/** Columns that have another name in the files than in the models. */
const columns: Readonly<Record<string, string>> = { country: 'iso_country', usage: 'usageType' }

/** What cannot be stored as it stands: addresses with accents or spaces are percent-encoded, an unknown frequency is left empty. */
const mended: Readonly<Record<string, (cell: string) => string>> = {
  wikipedia_link: (cell) => (URL.canParse(cell) ? new URL(cell).href : cell),
  frequency_khz: (cell) => (cell === '-1' ? '' : cell),
}

/** The record in a line; an empty cell is null, and `note` is told what was mended. What makes no sense is left for the model to refuse. */
export function recordOf(model: AnyModel, cells: Cells, note: (sentence: string) => void): Record<string, unknown> {
  const declared = model.fields.filter((field) => field.role === 'id' || field.role === 'data')
  const values = declared.map(({ name, kind }) => {
    const cell = cells[columns[name] ?? name] ?? ''
    const text = mended[name]?.(cell) ?? cell
    if (text !== cell) note(`${cells[model.id.name]} (${cells['name']}): ${name} ${cell} is stored as ${text || 'null'}`)
    if (text === '') return [name, null]
    return [name, kind === 'integer' || kind === 'number' ? Number(text) : text]
  })
  return Object.fromEntries(values)
}
