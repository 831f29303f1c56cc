/** The command line says something that cannot be done. */
export class WrongUse extends Error {}

/** The server cannot be reached, or the connection broke off. */
export class Unreachable extends Error {}

/** What a server, or the library, has against it. */
export class Fault extends Error {
  /** Of the catalogue of errors, or `''` where somebody else answered. */
  readonly code: string
  readonly status: number
  readonly requestId: string | undefined
  /** What is wrong with which field. */
  readonly issues: readonly { readonly path: string; readonly message: string }[]

  constructor(message: string, about: Partial<Pick<Fault, 'code' | 'requestId' | 'issues'>> & { readonly status: number }) {
    super(message)
    this.code = about.code ?? ''
    this.status = about.status
    this.requestId = about.requestId
    this.issues = about.issues ?? []
  }
}
