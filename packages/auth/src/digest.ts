import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

/** A random secret of 256 bits, as 43 characters of base64url. */
export function randomSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** SHA-256 in base64url. Enough for what is random; passwords take a slow hash. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/** A digest that nobody can guess back to its text without the key. */
export function keyedDigest(key: Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}

/** A key of 256 bits for one purpose. */
export function deriveKey(secret: string, salt: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, salt, `strongroom ${purpose}`, 32))
}

/** Whether two digests are the same, in a time that tells nothing of where they differ. */
export function sameDigest(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
