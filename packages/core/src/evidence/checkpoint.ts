import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { canonicalJson } from '../audit/canonical.ts'
import { InvalidQueryError, UsageError } from '../errors.ts'
import { isPlainObject } from '../model/plain-object.ts'

/**
 * What a log was at one moment, signed: kept where whoever can write to the database cannot, it shows what was cut off or rewritten since.
 * docs/reference/audit-format.md tells what is signed.
 */
export interface Checkpoint {
  /** Names the log. */
  readonly origin: string
  readonly epoch: number
  /** The last position. */
  readonly size: number
  /** The root of the log up to there, hexadecimal. */
  readonly root: string
  /** RFC 3339. */
  readonly timestamp: string
  /** Whose signature it is: an Ed25519 public key, 32 bytes in base64url. */
  readonly public_key: string
  /** In base64url. */
  readonly signature: string
}

/** Signs checkpoints. */
export class CheckpointKey {
  readonly publicKey: string
  readonly #key: KeyObject

  /**
   * @param pem an Ed25519 private key in PKCS#8, as `openssl genpkey -algorithm ed25519` makes it
   * @throws UsageError for what is none
   */
  constructor(pem: string) {
    const key = readPrivateKey(pem)
    if (key?.asymmetricKeyType !== 'ed25519')
      throw new UsageError(
        'invalid_options',
        'The key of audit checkpoints is an Ed25519 private key in PEM form, e.g. of openssl genpkey -algorithm ed25519.',
      )
    this.#key = key
    this.publicKey = createPublicKey(key).export({ format: 'jwk' }).x ?? ''
  }

  sign(content: Omit<Checkpoint, 'public_key' | 'signature'>): Checkpoint {
    const unsigned = { ...content, public_key: this.publicKey }
    return { ...unsigned, signature: sign(null, signedBytes(unsigned), this.#key).toString('base64url') }
  }
}

function readPrivateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    // It may be anything, and what OpenSSL says of it may quote it.
    return undefined
  }
}

/** Whether the signature is that of the key that the checkpoint names. */
export function isSigned({ signature, ...unsigned }: Checkpoint): boolean {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: unsigned.public_key }, format: 'jwk' })
    return verify(null, signedBytes(unsigned), key, Buffer.from(signature, 'base64url'))
  } catch {
    // No 32 bytes that are a key.
    return false
  }
}

/** What no other thing that is signed with this key begins with. */
const purpose = 'strongroom audit checkpoint 1\n'

function signedBytes({ origin, epoch, size, root, timestamp, public_key }: Omit<Checkpoint, 'signature'>): Buffer {
  return Buffer.from(purpose + canonicalJson({ origin, epoch, size, root, timestamp, public_key }))
}

const texts = ['origin', 'root', 'timestamp', 'public_key', 'signature'] as const
const numbers = ['epoch', 'size'] as const

/**
 * Reads a checkpoint out of its JSON text.
 * @throws InvalidQueryError for what is none
 */
export function readCheckpoint(text: string): Checkpoint {
  const value = parse(text)
  const given = isPlainObject(value) ? value : {}
  const isWhole =
    texts.every((name) => typeof given[name] === 'string') &&
    numbers.every((name) => Number.isSafeInteger(given[name]) && Number(given[name]) >= 0) &&
    /^[0-9a-f]{64}$/.test(String(given['root']))
  if (!isWhole)
    throw new InvalidQueryError(`A checkpoint is a JSON object of ${[...texts, ...numbers].toSorted().join(', ')}, as it was answered.`)
  // Each of them was looked at.
  return Object.fromEntries([...texts, ...numbers].map((name) => [name, given[name]])) as unknown as Checkpoint
}

/**
 * Reads the checkpoints of a file: one in JSON, or one on each line. Beside whole lines those are passed over that a full disk or a power loss
 * has cut off.
 * @throws InvalidQueryError for what is none
 */
export function readCheckpoints(text: string): Checkpoint[] {
  if (parse(text) !== undefined) return [readCheckpoint(text)]
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0) throw new InvalidQueryError('There is no checkpoint in the file.')
  const whole = lines.filter((line) => line.trimEnd().endsWith('}'))
  return (whole.length > 0 ? whole : lines).map(readCheckpoint)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
