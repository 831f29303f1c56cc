import { UsageError } from '../errors.ts'
import { readInterval } from '../transfer/schedule/read-plan.ts'
import { CheckpointKey } from './checkpoint.ts'
import type { CheckpointPlan } from './checkpoint-schedule.ts'

/** How checkpoints of the audit log are signed, and where they are written to. */
export interface CheckpointOptions {
  /** An Ed25519 private key in PEM form, as `openssl genpkey -algorithm ed25519` makes it. It belongs where the database cannot be written from. */
  readonly key: string
  /** A file that gets a line for each checkpoint, best on another machine's disk; none unless said. */
  readonly file?: string | undefined
  /** How long from one to the next: `'30m'`, `'6h'`, or milliseconds; an hour unless said. */
  readonly every?: string | number | undefined
}

/** The option `auditCheckpoints`, read. */
export interface ReadCheckpointOptions {
  readonly key: CheckpointKey
  readonly plan: CheckpointPlan | undefined
}

const names = ['key', 'file', 'every']

/** Reads the option `auditCheckpoints`. Throws UsageError `invalid_options` with a sentence. */
export function readCheckpointOptions(options: CheckpointOptions): ReadCheckpointOptions {
  if (typeof options !== 'object' || options === null) refuse('auditCheckpoints is an object: auditCheckpoints: { key, file, every }.')
  const stranger = Object.keys(options).find((name) => !names.includes(name))
  if (stranger !== undefined) refuse(`"${stranger}" is no option of auditCheckpoints. There are ${names.join(', ')}.`)
  const { key, file, every = '1h' } = options
  if (file !== undefined && (typeof file !== 'string' || file.trim() === '')) refuse('auditCheckpoints.file is the path of a file.')
  const interval = readInterval(every, 'auditCheckpoints.every')
  return { key: new CheckpointKey(key), plan: file === undefined ? undefined : { file, every: interval } }
}

function refuse(message: string): never {
  throw new UsageError('invalid_options', message)
}
