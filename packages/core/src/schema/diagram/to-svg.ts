import { darkRules, palette } from './palette.ts'

/** None of them is wider than the font by which the room was reserved. */
const fonts = "system-ui, 'Segoe UI', Roboto, Helvetica, Arial, 'DejaVu Sans', sans-serif"

const style = `svg{color-scheme:light dark;background:${palette.page.light}}@media (prefers-color-scheme:dark){svg{background:${palette.page.dark}}${darkRules()}}`

/** What Graphviz drew, dressed for a browser: light and dark, the system's own font, tips on what has something to say. */
export function toSvg(drawn: string): string {
  return drawn
    .slice(drawn.indexOf('<svg'))
    .replaceAll(/<!--.*?-->\n?/gs, '')
    .replaceAll(/ (?:font-family="[^"]*"|xml:space="preserve"|text-anchor="start")/g, '')
    .replace('>', ` role="img" aria-label="Tables and their references" font-family="${fonts}">\n<style>${style}</style>`)
    .replaceAll(/<title>(?:schema|[^<]*&#45;&gt;[^<]*)<\/title>\n?/g, '')
    .replaceAll(/<a xlink:title="([^"]*)">/g, '<g><title>$1</title>')
    .replaceAll('</a>', '</g>')
    .replaceAll(/<polygon fill="([^"]*)" stroke="[^"]*" points="([^"]*)"\/>\n(?=<(?:polyline|ellipse))/g, thinMark)
}

/** Graphviz fills the marks at the ends of lines: a bar has five points and a crow's foot nine. Lines say the same and are easier to read. */
function thinMark(mark: string, paint: string, text: string): string {
  const points = text.split(' ')
  const [first = '', second = '', , , middle = '', , , eighth = ''] = points
  if (points.length !== 9) return mark
  return `<path fill="none" stroke="${paint}" d="M${second} L${first} L${eighth} M${first} L${middle}"/>\n`
}
