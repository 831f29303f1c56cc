import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { canonicalJson } from '../../src/audit/canonical.ts'
import { leafHash, linkHash, merkleRoot, originHash } from '../../src/audit/digest.ts'
import { payloadHash } from '../../src/audit/payload.ts'
import { isSigned } from '../../src/evidence/checkpoint.ts'

interface Vectors {
  readonly origin: string
  readonly origin_hash: string
  readonly entries: readonly (Readonly<Record<string, unknown>> & {
    readonly position: number
    readonly before: string | null
    readonly after: string | null
    readonly salt: string
    readonly payload_hash: string
    readonly leaf_text: string
    readonly leaf: string
  })[]
  readonly links: readonly { readonly positions: readonly number[]; readonly root: string; readonly hash: string }[]
  readonly tree: { readonly leaves: readonly string[]; readonly root: string }
  readonly checkpoint: Parameters<typeof isSigned>[0]
}

const vectors = JSON.parse(await readFile(new URL('../../../../docs/reference/audit-vectors.json', import.meta.url), 'utf8')) as Vectors

const bytes = (text: string): Buffer => Buffer.from(text, 'hex')
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex')
const sha = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}
const members = [
  ...['actor', 'component', 'effective_at', 'epoch', 'id', 'operation', 'payload_hash', 'position', 'record_id', 'request_id'],
  ...['schema_version', 'tenant', 'timestamp', 'transaction_id'],
]

test('the vectors are what the page says, by hashes alone', () => {
  expect(sha('\u0003', vectors.origin)).toBe(vectors.origin_hash)
  for (const entry of vectors.entries) {
    const payload = `{"after":${entry.after ?? 'null'},"before":${entry.before ?? 'null'}}`
    expect(sha(bytes(entry.salt), payload)).toBe(entry.payload_hash)
    expect(canonicalJson(Object.fromEntries(members.map((name) => [name, entry[name]])))).toBe(entry.leaf_text)
    expect(sha('\0', entry.leaf_text)).toBe(entry.leaf)
  }
  let previous = vectors.origin_hash
  for (const { root, hash } of vectors.links) {
    expect(sha('\u0002', bytes(previous), bytes(root))).toBe(hash)
    previous = hash
  }
  const { signature, ...unsigned } = vectors.checkpoint
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: unsigned.public_key }, format: 'jwk' })
  const signed = Buffer.from(`strongroom audit checkpoint 1\n${canonicalJson(unsigned)}`)
  expect(verify(null, signed, key, Buffer.from(signature, 'base64url'))).toBe(true)
  expect(unsigned.root).toBe(vectors.links.at(-1)?.hash)
})

test('the library computes the same', () => {
  expect(hex(originHash(vectors.origin))).toBe(vectors.origin_hash)
  for (const { salt, before, after, payload_hash, leaf_text, leaf } of vectors.entries) {
    expect(hex(payloadHash(bytes(salt), before, after))).toBe(payload_hash)
    expect(hex(leafHash(leaf_text))).toBe(leaf)
  }
  let previous: Uint8Array = bytes(vectors.origin_hash)
  for (const { positions, root, hash } of vectors.links) {
    const leaves = vectors.entries.filter(({ position }) => positions.includes(position)).map(({ leaf }) => bytes(leaf))
    expect(hex(merkleRoot(leaves))).toBe(root)
    previous = linkHash(previous, bytes(root))
    expect(hex(previous)).toBe(hash)
  }
  expect(hex(merkleRoot(vectors.tree.leaves.map(bytes)))).toBe(vectors.tree.root)
  expect(isSigned(vectors.checkpoint)).toBe(true)
})
