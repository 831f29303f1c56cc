import { sha256 } from './digest.ts'

/** SHA-256 over the salt and the canonical text of both images; erasing the payload keeps the hash. */
export function payloadHash(salt: Uint8Array, before: string | null, after: string | null): Uint8Array {
  const text = `{"after":${after ?? 'null'},"before":${before ?? 'null'}}`
  return sha256(Buffer.concat([salt, Buffer.from(text)]))
}
