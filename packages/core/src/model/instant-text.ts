/** Instants whose texts are kept, a power of two: those of one shared commit, mostly. */
const places = 256
const times = new Float64Array(places).fill(Number.NaN)
const texts = Array.from({ length: places }, () => '')

/**
 * RFC 3339 text of an instant in UTC, with milliseconds. Some are kept: the same moments (stamps; those of a record in the images before and after, in
 * the entry and in the answer) are written again and again, and to spell one takes as long as to hash a text.
 */
export function instantText(instant: Date): string {
  const time = instant.getTime()
  const place = time & (places - 1)
  if (time !== times[place]) {
    texts[place] = instant.toISOString()
    times[place] = time
  }
  return texts[place] ?? ''
}

/** The instant of such a text, as `new Date` has it, in half of the time: a twentieth of a list of records (measured). Every other text is left to `new Date`. */
export function readInstantText(text: string): Date {
  if (!hasForm(text)) return new Date(text)
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  const [month, day] = [twoDigits(text, 5), twoDigits(text, 8)]
  const [hour, minute, second] = [twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17)]
  const [hundredths, last] = [twoDigits(text, 20), digitAt(text, 22)]
  // NaN, which stands for what is no digit, fails each of these. `Date.UTC` takes the years below 100 for others.
  const isPlain = year >= 100 && month >= 1 && month <= 12 && day >= 1 && day <= 31
  if (!isPlain || !(hour <= 23 && minute <= 59 && second <= 59 && hundredths <= 99 && last <= 9)) return new Date(text)
  return new Date(Date.UTC(year, month - 1, day, hour, minute, second, hundredths * 10 + last))
}

function hasForm(text: string): boolean {
  const isDate = text.length === 24 && text[4] === '-' && text[7] === '-' && text[10] === 'T'
  return isDate && text[13] === ':' && text[16] === ':' && text[19] === '.' && text[23] === 'Z'
}

/** NaN where there are no two digits. */
function twoDigits(text: string, at: number): number {
  const [tens, ones] = [digitAt(text, at), digitAt(text, at + 1)]
  return tens > 9 || ones > 9 ? Number.NaN : tens * 10 + ones
}

/** The value of a digit; more than nine for any other character. */
function digitAt(text: string, at: number): number {
  return text.charCodeAt(at) ^ 48
}
