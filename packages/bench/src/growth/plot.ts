/** A line of a chart. */
export interface PlottedLine {
  readonly label: string
  readonly values: readonly number[]
  /** Drawn with dashes: not to be compared with the others. */
  readonly dashed: boolean
}

export interface Plot {
  readonly title: string
  readonly across: string
  readonly upwards: string
  readonly points: readonly number[]
  readonly lines: readonly PlottedLine[]
}

/** Colours that can be told apart by everybody (Okabe and Ito), on white and on black. */
const colours = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#b8860b',
  '#56b4e9',
  '#8a6fd1',
  '#7f7f7f',
  '#e04f5f',
  '#4d9a2a',
  '#a9742f',
  '#3b9c9c',
]

const width = 860
const height = 460
const frame = { left: 74, right: 560, top: 48, bottom: 404 }
/** Pixels between two labels, at least. */
const lineHeight = 17

/** A chart with both axes logarithmic, as SVG: a level line costs the same everywhere. It follows whether its reader likes it light or dark. */
export function plot({ title, across, upwards, points, lines }: Plot): string {
  const values = lines.flatMap((line) => line.values)
  const x = scale([points[0] ?? 1, points.at(-1) ?? 1], [frame.left, frame.right])
  const [lowest, highest] = [10 ** Math.floor(Math.log10(Math.min(...values))), 10 ** Math.ceil(Math.log10(Math.max(...values)))]
  const y = scale([lowest, highest], [frame.bottom, frame.top])
  const rows = powersBetween(lowest, highest).map(
    (value) =>
      `<line class="grid" x1="${frame.left}" x2="${frame.right}" y1="${y(value)}" y2="${y(value)}"/>
  <text x="${frame.left - 8}" y="${y(value) + 4}" text-anchor="end">${short(value)}</text>`,
  )
  const columns = points.map(
    (value) =>
      `<line class="grid" x1="${x(value)}" x2="${x(value)}" y1="${frame.top}" y2="${frame.bottom}"/>
  <text x="${x(value)}" y="${frame.bottom + 18}" text-anchor="middle">${short(value)}</text>`,
  )
  const places = apart(lines.map((line) => y(line.values.at(-1) ?? lowest)))
  const drawn = lines.map((line, index) => {
    const colour = colours[index % colours.length]
    const path = line.values.map((value, place) => `${x(points[place] ?? 1)},${y(value)}`).join(' ')
    const dots = line.values.map((value, place) => `<circle cx="${x(points[place] ?? 1)}" cy="${y(value)}" r="2.5" fill="${colour}"/>`)
    const label = places[index] ?? 0
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${line.dashed ? ' stroke-dasharray="5 4"' : ''}/>
  ${dots.join('')}
  <line x1="${frame.right + 4}" y1="${y(line.values.at(-1) ?? lowest)}" x2="${frame.right + 16}" y2="${label}" stroke="${colour}"/>
  <text x="${frame.right + 20}" y="${label + 4}">${escaped(line.label)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">
  <style>
    text { font: 13px system-ui, sans-serif; fill: #24292f } .title { font-weight: 600; font-size: 15px } .grid { stroke: #d0d7de }
    @media (prefers-color-scheme: dark) { text { fill: #d7dde4 } .grid { stroke: #3a424b } }
  </style>
  <text class="title" x="${frame.left}" y="22">${escaped(title)}</text>
  <text x="${frame.left}" y="40">${escaped(upwards)}</text>
  <text x="${(frame.left + frame.right) / 2}" y="${frame.bottom + 42}" text-anchor="middle">${escaped(across)}</text>
  ${[...rows, ...columns, ...drawn].join('\n  ')}
</svg>
`
}

function scale([from, to]: readonly [number, number], [start, end]: readonly [number, number]): (value: number) => number {
  const span = Math.log(to / from) || 1
  return (value) => Number((start + ((end - start) * Math.log(value / from)) / span).toFixed(1))
}

function powersBetween(lowest: number, highest: number): number[] {
  const first = Math.log10(lowest)
  return Array.from({ length: Math.round(Math.log10(highest) - first) + 1 }, (_, index) => 10 ** (first + index))
}

/** Moves labels that would lie on each other downwards, and all of them upwards where they leave the frame. */
function apart(wanted: readonly number[]): number[] {
  const order = [...wanted.keys()].sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0))
  const placed: number[] = []
  let free = frame.top
  for (const index of order) {
    placed[index] = Math.max(wanted[index] ?? 0, free)
    free = (placed[index] ?? 0) + lineHeight
  }
  const over = Math.max(0, free - lineHeight - frame.bottom)
  // From below, each as far as the one under it needs.
  let ceiling = frame.bottom
  for (const index of over > 0 ? order.toReversed() : []) {
    placed[index] = Math.min(placed[index] ?? 0, ceiling)
    ceiling = (placed[index] ?? 0) - lineHeight
  }
  return placed
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6} M`
  return value >= 1e3 ? `${value / 1e3} k` : String(Number(value.toPrecision(3)))
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
