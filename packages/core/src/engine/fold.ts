/** A run of ASCII, which is folded without looking at each character. */
const ascii = /^[\0-\x7f]*$/

let made: ReadonlyMap<string, string> | undefined

/** Code points that have another form when case does not matter, and that form: `É` and `é`, `ς` and `Σ` and `σ`. */
export function foldMap(): ReadonlyMap<string, string> {
  // It takes 10 ms, which threads that compare no text do not have to spend.
  made ??= makeFoldMap()
  return made
}

/**
 * Text as it is compared where case does not matter. Each code point is mapped to one code point, the same on every engine
 * (Unicode's simple mappings): upper-cased, then lower-cased, where each gives a single code point. `ß` stays `ß`.
 */
export function fold(text: string): string {
  if (ascii.test(text)) return text.toLowerCase()
  const map = foldMap()
  let folded = ''
  for (const character of text) folded += map.get(character) ?? character
  return folded
}

function makeFoldMap(): Map<string, string> {
  const map = new Map<string, string>()
  for (let codePoint = 0; codePoint <= 0x1ffff; codePoint++) {
    if (codePoint >= 0xd800 && codePoint <= 0xdfff) continue
    const character = String.fromCodePoint(codePoint)
    const folded = single(single(character, character.toUpperCase()), single(character, character.toUpperCase()).toLowerCase())
    if (folded !== character) map.set(character, folded)
  }
  return map
}

/** The mapped text if it is one code point, else the original. */
function single(original: string, mapped: string): string {
  const [first, second] = mapped
  return first !== undefined && second === undefined ? first : original
}
