import { mask } from '../settings/secret.ts'

/** Parts of names whose values are never logged, in small letters and without - and _: headers, settings, fields, options. */
export const redactedNames = [
  'authorization',
  'cookie',
  'apikey',
  'password',
  'passwd',
  'passphrase',
  'secret',
  'token',
  'privatekey',
  'credential',
] as const

/** Properties of a database driver's errors that quote stored values. */
const quotingNames: readonly string[] = ['detail', 'where', 'internalquery', 'parameters']

/** How deep an object is looked through; pino cuts off where it prints, and nobody logs anything deeper. */
const deepest = 8

/** Names that are remembered, with whether they are secret: lines have the same ones again and again. */
const mostVerdicts = 1_000

/** Takes secrets out of everything that is to be logged: values by their names, and known secrets and credentials wherever they stand. */
export class Redactor {
  readonly #names: ReadonlySet<string>
  readonly #secrets: readonly string[]
  readonly #verdicts = new Map<string, boolean>()

  /** `fields` are names of secret fields; `secrets` are texts that must not be in the log. */
  constructor(fields: readonly string[], secrets: readonly string[]) {
    this.#names = new Set(fields.map(normal))
    // As JSON writes them. What is shorter is no secret, and would be found in every other word.
    this.#secrets = secrets.filter((text) => text.length >= 6).map((text) => JSON.stringify(text).slice(1, -1))
  }

  /** A copy of what is to be logged, secrets masked. */
  redact(logged: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return this.#object(logged, 0, false)
  }

  /** A copy of an error's properties, with what its driver quotes masked too. */
  redactError(logged: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return this.#object(logged, 0, true)
  }

  /** A line of the log without credentials of URLs and headers, and without the secrets that are known. */
  scrub(line: string): string {
    let text = line.includes('://') ? line.replaceAll(/([a-z]:\/\/[^\s/:@"\\]*:)[^\s@"/]+@/gi, `$1${mask}@`) : line
    // Lines of requests have no blank, and are most of the log.
    if (text.includes(' ')) text = text.replaceAll(/\b(Bearer|Basic) +[\w.~+/=-]{6,}/gi, `$1 ${mask}`)
    for (const secret of this.#secrets) if (text.includes(secret)) text = text.replaceAll(secret, mask)
    return text
  }

  #object(value: Readonly<Record<string, unknown>>, depth: number, quoting: boolean): Record<string, unknown> {
    const copy: Record<string, unknown> = {}
    for (const [name, item] of Object.entries(value))
      copy[name] = this.#isSecret(name, item, quoting) ? mask : this.#value(item, depth, quoting)
    return copy
  }

  #value(value: unknown, depth: number, quoting: boolean): unknown {
    if (typeof value !== 'object' || value === null || depth >= deepest) return value
    if (Array.isArray(value)) return value.map((item: unknown) => this.#value(item, depth + 1, quoting))
    // Errors, requests and other things with a class are written by pino's serializers, or write themselves.
    if (!isPlain(value)) return value
    return this.#object(value, depth + 1, quoting)
  }

  /** Numbers and flags tell nothing: a count of tokens, how long one holds. */
  #isSecret(name: string, value: unknown, quoting: boolean): boolean {
    if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean') return false
    return this.isSecretName(name) || (quoting && quotingNames.includes(normal(name)))
  }

  /** Whether values of this name are masked. */
  isSecretName(name: string): boolean {
    const known = this.#verdicts.get(name)
    if (known !== undefined) return known
    const plain = normal(name)
    const secret = this.#names.has(plain) || redactedNames.some((part) => plain.includes(part))
    if (this.#verdicts.size < mostVerdicts) this.#verdicts.set(name, secret)
    return secret
  }
}

function normal(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '')
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
