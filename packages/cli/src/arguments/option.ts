/** An option of a command, as its help and the reference tell of it. */
export interface Option {
  /** Without its two dashes. */
  readonly name: string
  readonly short?: string
  /** What stands for the value in the help; an option without it is a flag. */
  readonly value?: string
  /** May be given more than once. */
  readonly repeated?: true
  readonly help: string
}

/** What a command line gives. */
export interface Given {
  readonly positionals: readonly string[]
  has(name: string): boolean
  text(name: string): string | undefined
  all(name: string): readonly string[]
}

/** An example in a command's help. */
export interface Example {
  readonly line: string
  readonly why: string
}
