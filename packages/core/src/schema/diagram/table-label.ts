import { labelText } from './dot-text.ts'
import { type Paint, palette } from './palette.ts'
import type { PictureField, PictureTable } from './picture.ts'

const keyLetters = { primary: 'PK', reference: 'FK', unique: 'U' } as const

/** A table in Graphviz's kind of HTML: its name, a line for each field, and its keys of several fields. */
export function tableLabel(table: PictureTable): string {
  const standsAlone = ({ kept, keys }: PictureField): boolean => !kept || keys.length > 0
  const shared = Map.groupBy(
    table.fields.filter((field) => !standsAlone(field)),
    typeOf,
  )
  const rows = [
    headRow(table),
    ...table.fields.filter(standsAlone).map(fieldRow),
    ...[...shared].map(([type, fields]) => noteRow('', 'kept', `${fields.map(({ name }) => name).join(', ')}  ${type}`)),
    ...table.uniqueTogether.map((fields) => noteRow(keyLetters.unique, 'type', fields.join(' + '))),
  ]
  return `<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3" ${colour('COLOR', 'border')} ${colour('BGCOLOR', 'card')}>${rows.join('')}</TABLE>`
}

/** The name of a table that stands elsewhere. */
export function pillLabel(table: string): string {
  return `<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2" STYLE="ROUNDED" ${colour('COLOR', 'border')}><TR><TD>${small('kept', labelText(table))}</TD></TR></TABLE>`
}

/** Where a field's line can be met. */
export function portOf(field: string, side: 'left' | 'right'): string {
  return `${labelText(field)}.${side}`
}

function headRow({ name, component, system }: PictureTable): string {
  const aside = component === undefined || component === name ? '' : painted('kept', `&#160;&#160;/${labelText(component)}`)
  const fill = colour('BGCOLOR', system ? 'systemHeader' : 'header')
  return `<TR><TD COLSPAN="3" ALIGN="LEFT" CELLPADDING="5" ${fill}><B>${painted('title', labelText(name))}</B>${aside}</TD></TR>`
}

function fieldRow(field: PictureField): string {
  const tip = field.description === undefined ? '' : ` TITLE="${labelText(field.description)}"`
  const type = field.secret ? painted('secret', `${labelText(typeOf(field))}, secret`) : painted('type', labelText(typeOf(field)))
  const keys = field.keys.map((key) => keyLetters[key]).join(' ')
  return [
    `<TR><TD ALIGN="LEFT" PORT="${portOf(field.name, 'left')}">${tiny(keys)}</TD>`,
    `<TD ALIGN="LEFT"${tip}>${painted('ink', labelText(field.name))}</TD>`,
    `<TD ALIGN="LEFT" PORT="${portOf(field.name, 'right')}">${type}</TD></TR>`,
  ].join('')
}

/** A line of lesser weight. */
function noteRow(keys: string, paint: Paint, text: string): string {
  return `<TR><TD ALIGN="LEFT">${tiny(keys)}</TD><TD COLSPAN="2" ALIGN="LEFT" CELLPADDING="2">${small(paint, labelText(text))}</TD></TR>`
}

function typeOf({ type, nullable }: PictureField): string {
  return nullable ? `${type}?` : type
}

function colour(attribute: 'COLOR' | 'BGCOLOR', paint: Paint): string {
  return `${attribute}="${palette[paint].light}"`
}

function painted(paint: Paint, text: string): string {
  return `<FONT ${colour('COLOR', paint)}>${text}</FONT>`
}

function small(paint: Paint, text: string): string {
  return `<FONT POINT-SIZE="9" ${colour('COLOR', paint)}>${text}</FONT>`
}

function tiny(keys: string): string {
  return keys === '' ? '' : `<FONT POINT-SIZE="8" ${colour('COLOR', 'key')}>${keys}</FONT>`
}
