/** Characters that XML 1.0 does not have, half surrogate pairs among them, and those that turn the direction of what follows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unshowable = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|\p{Surrogate}/gu

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** A text inside a label in Graphviz's kind of HTML, on one line. */
export function labelText(text: string): string {
  return (
    text
      .trim()
      .replaceAll(/\s+/g, ' ')
      .replaceAll(unshowable, '\ufffd')
      .replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
      // `\N` and its like stand for names, in labels too.
      .replaceAll('\\', '\\\\')
  )
}

/** A quoted string of the DOT language: a name, or words around names. */
export function quoted(text: string): string {
  return `"${text.replaceAll(/[\\"&]/g, (character) => (character === '&' ? '&amp;' : `\\${character}`))}"`
}
