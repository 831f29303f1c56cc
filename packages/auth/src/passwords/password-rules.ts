import { ValidationError } from '@strongroom/core'

/** Characters; argon2 reads any number, and nobody types more. */
export const longestPassword = 256

/** The same password, however a keyboard puts its characters together (NIST SP 800-63B, 3.1.1.2). */
export function normalisePassword(password: string): string {
  return password.normalize('NFKC')
}

/** What a new password is held against. */
export interface PasswordCheck {
  /** The field that an issue names. */
  readonly path: string
  readonly minLength: number
  readonly email: string
}

/** Throws ValidationError for a password that is too easy to guess, or too long. */
export function checkNewPassword(password: string, { path, minLength, email }: PasswordCheck): void {
  const message = faultOf(normalisePassword(password), minLength, email)
  if (message !== undefined) throw new ValidationError([{ path, message }])
}

function faultOf(password: string, minLength: number, email: string): string | undefined {
  const characters = [...password]
  if (!password.isWellFormed()) return 'must be well-formed text'
  if (characters.length < minLength) return `must have at least ${minLength} characters; several words are easy to remember`
  if (characters.length > longestPassword) return `must have at most ${longestPassword} characters`
  if (new Set(characters).size < 4) return 'must have more than three different characters'
  const [name = ''] = email.toLowerCase().split('@')
  const folded = password.toLowerCase()
  return folded === email.toLowerCase() || folded === name ? 'must not be the e-mail address' : undefined
}
