import { randomPool, takeRandomBytes } from './random-pool.ts'

/** Bytes; two writes of one record draw the same version once in 2^96, and 12 bytes fill base64url without padding. */
const versionBytes = 12

/** The length of a row_version in characters. */
export const rowVersionLength = 16

/** A fresh value for `row_version`: 16 characters of base64url, never derived from a counter or a clock. */
export function makeRowVersion(): string {
  const start = takeRandomBytes(versionBytes)
  return randomPool.toString('base64url', start, start + versionBytes)
}
