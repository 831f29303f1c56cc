import { randomFillSync } from 'node:crypto'

/** Bytes; one call of the operating system serves a thousand ids, each of which would cost as much by itself. */
const poolSize = 8192

/** Random bytes, to be read only where `takeRandomBytes` says. */
export const randomPool = Buffer.allocUnsafeSlow(poolSize)

let used = poolSize

/** Reserves `count` fresh random bytes and answers where in the pool they begin. */
export function takeRandomBytes(count: number): number {
  if (used + count > poolSize) {
    randomFillSync(randomPool)
    used = 0
  }
  const start = used
  used += count
  return start
}
