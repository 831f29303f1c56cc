import { randomBytes } from 'node:crypto'
import { keyedDigest, sameDigest, sha256 } from '../digest.ts'

/** What a session knows of the tokens of its family. */
export interface Family {
  readonly token_hash: string
  readonly previous_hash: string | null
  readonly family_key: string | null
}

/** Bytes of a secret that are random; as many show that it was made with the family's key. */
const half = 16

/** A secret for a token of the family: 128 random bits, and 128 that nobody can add to them without the key. */
export function makeSecret(familyKey: string): string {
  const random = randomBytes(half)
  return Buffer.concat([random, tagOf(familyKey, random)]).toString('base64url')
}

/** Whether a token is of the family, spent ones of long ago too. Whoever only knows the session's id can make none. */
export function isOfFamily({ token_hash, previous_hash, family_key }: Family, secret: string): boolean {
  const presented = sha256(secret)
  if (sameDigest(presented, token_hash) || (previous_hash !== null && sameDigest(presented, previous_hash))) return true
  if (family_key === null) return false
  const bytes = Buffer.from(secret, 'base64url')
  const tag = tagOf(family_key, bytes.subarray(0, half))
  return sameDigest(tag.toString('base64url'), bytes.subarray(half).toString('base64url'))
}

function tagOf(familyKey: string, random: Uint8Array): Buffer {
  const digest = keyedDigest(Buffer.from(familyKey, 'base64url'), Buffer.from(random).toString('base64url'))
  return Buffer.from(digest, 'base64url').subarray(0, half)
}
