/** Text for a terminal: what could steer it, or turn the direction of writing, is spelled out. Line breaks stay only where it says so. */
export function printable(text: string, { lines = false }: { readonly lines?: boolean } = {}): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) =>
    lines && character === '\n' ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

/** Takes out of a text what stands in a URL before the host, and parameters that hold passwords. */
export function withoutPasswords(text: string): string {
  return text
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s"']*@/gi, '$1')
    .replaceAll(/([?&](?:[a-z_]*password|token|secret|key)=)[^\s&"']*/gi, '$1…')
}

const units = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const

/** `12.3 MB`. */
export function inBytes(bytes: number): string {
  let value = bytes
  let step = 0
  while (value >= 1000 && step < units.length - 1) {
    value /= 1000
    step++
  }
  return `${step === 0 ? value : value.toFixed(1)} ${units[step]}`
}

/** `3 rows`, `1 row`. */
export function counted(count: number, one: string, many: string): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`
}
