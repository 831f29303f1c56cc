import { sha256 } from './digest.ts'

/** SHA-256 over the salt and the canonical text of both images; erasing the payload keeps the hash. */
export function payloadHash(salt: Uint8Array, before: string | null, after: string | null): Uint8Array {
  const text = `{"after":${after ?? 'null'},"before":${before ?? 'null'}}`
  const start = salt.length
  // No character takes more than three bytes.
  if (start + 3 * text.length > scratch.length) return sha256(Buffer.concat([salt, Buffer.from(text)]))
  scratch.set(salt)
  return sha256(scratch.subarray(0, start + scratch.write(text, start)))
}

/** Most payloads fit in here: making a buffer for each costs as much as the hash. */
const scratch = Buffer.alloc(16_384)
