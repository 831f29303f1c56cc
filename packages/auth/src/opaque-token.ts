import { randomSecret } from './digest.ts'

/** A token that clients cannot read: the id of the record that knows it, and a secret whose hash is there. */
export interface OpaqueToken {
  readonly id: string
  readonly secret: string
}

/** Characters of a UUID, and of a secret of 32 bytes, in base64url. */
const idLength = 22
const secretLength = 43

/** Writes a token for a record. */
export function writeToken(prefix: string, id: string, secret: string): string {
  return `${prefix}_${Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url')}${secret}`
}

/** A fresh secret for a record, and the token that carries it. */
export function makeToken(prefix: string, id: string): { readonly token: string; readonly secret: string } {
  const secret = randomSecret()
  return { token: writeToken(prefix, id, secret), secret }
}

/** Reads a token; undefined for what has not its form. */
export function readToken(prefix: string, token: string): OpaqueToken | undefined {
  if (!token.startsWith(`${prefix}_`)) return undefined
  const rest = token.slice(prefix.length + 1)
  if (rest.length !== idLength + secretLength || !/^[\w-]+$/.test(rest)) return undefined
  const hex = Buffer.from(rest.slice(0, idLength), 'base64url').toString('hex')
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  const secret = rest.slice(idLength)
  // A base64url text can be written in more than one way; a token has one.
  return writeToken(prefix, id, secret) === token ? { id, secret } : undefined
}
