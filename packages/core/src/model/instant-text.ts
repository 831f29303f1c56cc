let lastTime = Number.NaN
let lastText = ''

/**
 * RFC 3339 text of an instant in UTC, with milliseconds. The last one is kept: what is written in one go (stamps, images, entries, their hashes) has the
 * same moment again and again, and to spell it takes as long as to hash a text.
 */
export function instantText(instant: Date): string {
  const time = instant.getTime()
  if (time !== lastTime) {
    lastText = instant.toISOString()
    lastTime = time
  }
  return lastText
}
