import { quoted } from './dot-text.ts'
import { palette } from './palette.ts'
import type { Picture, PictureReference } from './picture.ts'
import { pillLabel, portOf, tableLabel } from './table-label.ts'

/** Graphviz reserves room by this font's widths, which are as large as those of any font that stands in for it. */
const font = 'Verdana'

const legend = 'PK primary key   FK reference   U unique   ? takes null   dashed: need not lead anywhere'

/** The picture in the language of Graphviz. */
export function toDot({ tables, references }: Picture): string {
  const lengths = edgeLengths(references)
  return [
    'digraph schema {',
    `  graph [rankdir=LR, pack=16, packmode="node", nodesep=0.2, ranksep=0.8, pad=0.3, bgcolor="${palette.page.light}"]`,
    `  graph [label=${quoted(legend)}, labelloc=b, labeljust=l, fontname="${font}", fontsize=10, fontcolor="${palette.kept.light}"]`,
    `  node [shape=plain, fontname="${font}", fontsize=11]`,
    `  edge [dir=both, arrowsize=0.8, color="${palette.reference.light}"]`,
    ...tables.map((table) => `  ${quoted(table.name)} [label=<${tableLabel(table)}>]`),
    ...pills(references),
    ...references.map((reference, index) => edge(reference, lengths[index])),
    '}',
    '',
  ].join('\n')
}

/**
 * Lines to the table itself would run across its neighbours, and those of stamps would all meet in one table:
 * they lead to the other table's name instead.
 */
function endsInPill({ table, target, kept }: PictureReference): boolean {
  return kept || table === target
}

function pillName({ table, target }: PictureReference): string {
  return `${table}.${target}`
}

function pills(references: readonly PictureReference[]): string[] {
  const targets = new Map(references.filter(endsInPill).map((reference) => [pillName(reference), reference.target]))
  return [...targets].map(([name, target]) => `  ${quoted(name)} [label=<${pillLabel(target)}>]`)
}

/** In columns. A table that many point to has them in several, or the picture would be a single tall one. */
function edgeLengths(references: readonly PictureReference[]): number[] {
  const groups = Map.groupBy(
    references.filter((reference) => !endsInPill(reference)),
    ({ target }) => target,
  )
  return references.map((reference) => {
    const group = groups.get(reference.target) ?? []
    const columns = Math.max(1, Math.floor(Math.sqrt(group.length)))
    return 1 + (Math.max(0, group.indexOf(reference)) % columns)
  })
}

const ends = { one: 'teetee', zeroOrOne: 'teeodot', many: 'crowodot' } as const

/** From the one side to the many side, so that what others depend on stands on the left. */
function edge(reference: PictureReference, length = 1): string {
  const { table, field, target, targetField, targets, sources, kept } = reference
  const from = endsInPill(reference) ? quoted(pillName(reference)) : `${quoted(target)}:${quoted(portOf(targetField, 'right'))}`
  const attributes = [
    `arrowtail=${ends[targets]}`,
    `arrowhead=${ends[sources]}`,
    ...(length > 1 ? [`minlen=${length}`] : []),
    // Ends of several lines lie on top of each other.
    ...(targets === 'zeroOrOne' ? ['style=dashed'] : []),
    ...(kept ? [`color="${palette.keptReference.light}"`] : []),
    `tooltip=${quoted(words(reference))}`,
  ]
  return `  ${from}:e -> ${quoted(table)}:${quoted(portOf(field, 'left'))}:w [${attributes.join(', ')}]`
}

function words({ table, field, target, targetField, targets, sources, onDelete }: PictureReference): string {
  const count = `${sources === 'many' ? 'many' : 'one'} to ${targets === 'one' ? 'one' : 'one or none'}`
  return `${table}.${field} to ${target}.${targetField}: ${count}, on delete ${onDelete}`
}
