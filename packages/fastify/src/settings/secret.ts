import { inspect } from 'node:util'

/** What stands wherever a secret would be printed. */
export const mask = '***'

/** A value that is handed out on demand alone: printed, logged or turned into JSON it is its mask. */
export class Secret {
  readonly #value: string
  readonly #shown: string

  /** `shown` is what may be printed in its place. */
  constructor(value: string, shown: string = mask) {
    this.#value = value
    this.#shown = shown
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return this.#shown
  }

  toJSON(): string {
    return this.#shown
  }

  [inspect.custom](): string {
    return this.#shown
  }
}

/** The address of a database without what lets somebody in: the password, and values of the query, which can hold one too. */
export function maskUrl(url: string): string {
  return url.replace(/^([\w+.-]+:\/\/[^/?#@]*?:)[^@]*@/, `$1${mask}@`).replaceAll(/([?&][^=&#]*=)[^&#]*/g, `$1${mask}`)
}

/** Texts that must not be found anywhere: the values of secrets, and the password within that of a URL. */
export function secretTexts(url: Secret, ...secrets: readonly (Secret | undefined)[]): string[] {
  const [, password = ''] = /^[\w+.-]+:\/\/[^/?#@]*?:([^@]*)@/.exec(url.reveal()) ?? []
  return [password, ...secrets.flatMap((secret) => secret?.reveal() ?? [])]
}
