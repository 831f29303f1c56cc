import type { Example, Given, Option } from '../arguments/option.ts'
import type { Progress } from '../output/progress.ts'
import type { Surroundings } from '../surroundings.ts'

/** What a command works with. */
export interface Job {
  readonly given: Given
  readonly surroundings: Surroundings
  readonly progress: Progress
  /** Writes the result: a document where `--json` is said, else text for people, which `--quiet` leaves out unless something is `wrong`. */
  answer(document: unknown, text: string, about?: { readonly wrong: boolean }): Promise<void>
}

/** A command of the command line. */
export interface Command {
  readonly name: string
  /** What stands after the name, e.g. `FILE`. */
  readonly usage: string
  /** A line without a full stop. */
  readonly summary: string
  /** What somebody wants to know who has not used it. */
  readonly about: string
  readonly options: readonly Option[]
  readonly examples: readonly Example[]
  /** The most arguments that are no options. */
  readonly positionals: number
  /** `--json` writes a document for each line, and none where it fails. */
  readonly jsonLines?: true
  /** Answers an exit code where it is not 0. */
  run(job: Job): Promise<number | undefined>
}
