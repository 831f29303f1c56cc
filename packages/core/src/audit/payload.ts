import { hash } from 'node:crypto'
import { sha256 } from './digest.ts'

/** SHA-256 over the salt and the canonical text of both images; erasing the payload keeps the hash. */
export function payloadHash(salt: Uint8Array, before: string | null, after: string | null): Uint8Array {
  const text = payloadText(before, after)
  const start = salt.length
  // No character takes more than three bytes.
  if (start + 3 * text.length > scratch.length) return sha256(Buffer.concat([salt, Buffer.from(text)]))
  scratch.set(salt)
  return sha256(scratch.subarray(0, start + scratch.write(text, start)))
}

/** The same in hexadecimal, as the salt is. */
export function payloadHex(salt: string, before: string | null, after: string | null): string {
  const text = payloadText(before, after)
  const start = salt.length / 2
  if (start + 3 * text.length > scratch.length) return hash('sha256', Buffer.concat([Buffer.from(salt, 'hex'), Buffer.from(text)]), 'hex')
  scratch.write(salt, 'hex')
  return hash('sha256', scratch.subarray(0, start + scratch.write(text, start)), 'hex')
}

function payloadText(before: string | null, after: string | null): string {
  const [start, middle, end] = hashedPieces
  return `${start}${after ?? 'null'}${middle}${before ?? 'null'}${end}`
}

/** What stands before, between and behind the two images in what is hashed: for a database that hashes by itself. */
export const hashedPieces = ['{"after":', ',"before":', '}'] as const

/** The same around the image of a record that was made. */
export const hashedAround = { before: hashedPieces[0], behind: `${hashedPieces[1]}null${hashedPieces[2]}` } as const

/** Most payloads fit in here: making a buffer for each costs as much as the hash. */
const scratch = Buffer.alloc(16_384)
