import { AuditAccessor, type AuditParts } from '../audit/audit-accessor.ts'
import { ConflictError, InvalidQueryError, NotFoundError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { requireWholeDatabase } from '../session/whole-database.ts'
import type { Transfers } from '../transfer/transfers.ts'
import type { Checkpoint } from './checkpoint.ts'
import { CheckpointSchedule } from './checkpoint-schedule.ts'
import { readTree } from './log-head.ts'
import { type InclusionProof, prove } from './proof.ts'
import type { ReadCheckpointOptions } from './read-checkpoint-options.ts'
import { type VerifyOptions, verify } from './verify.ts'
import type { AuditVerdict } from './verify-log.ts'

/** What the audit log proves with. */
export interface EvidenceParts {
  readonly transfers: Transfers
  /** Whether entries get their places as they are written, and not later. */
  readonly allPlaced: boolean
  readonly logger: Logger
  /** How checkpoints are signed and where they go, where that was said. */
  readonly checkpoints?: ReadCheckpointOptions | undefined
}

/** Which log a proof is about. */
export interface ProofOptions {
  /** The size of a checkpoint; the log as it stands now unless said. */
  readonly size?: number | undefined
}

/** Only the storage starts and ends what goes on by itself. */
export const startCheckpoints = Symbol('startCheckpoints')
export const endCheckpoints = Symbol('endCheckpoints')

/**
 * Reads the audit log, and proves that it is whole.
 *
 * @example
 * const { ok, fault } = await storage.audit.verify()
 * if (!ok) console.error(`position ${fault?.position}: ${fault?.detail}`)
 */
export class AuditEvidence extends AuditAccessor {
  readonly #log: AuditParts
  readonly #parts: EvidenceParts
  readonly #schedule: CheckpointSchedule | undefined

  constructor(log: AuditParts, parts: EvidenceParts) {
    super(log)
    this.#log = log
    this.#parts = parts
    const plan = parts.checkpoints?.plan
    this.#schedule = plan && new CheckpointSchedule({ ...plan, make: () => this.#checkpoint(), logger: parts.logger })
  }

  /** Begins to write checkpoints, where that was said. */
  [startCheckpoints](): void {
    this.#schedule?.start()
  }

  /** Writes the last checkpoint, and ends. */
  async [endCheckpoints](): Promise<void> {
    await this.#schedule?.close()
  }

  /**
   * Goes through the whole log, as it is at one moment, in a thread of its own and in constant memory, and names the first entry that is
   * bad. What was cut off at the end, and what was rewritten with everything behind it, shows only against checkpoints.
   * @throws InvalidQueryError for a checkpoint whose signature is wrong; ForbiddenError for one of another key than `publicKey`, and for a
   * caller who belongs to one tenant
   */
  async verify(options: VerifyOptions = {}): Promise<AuditVerdict> {
    requireWholeDatabase(this.#log.units, 'a verification reads')
    const { transfers, allPlaced } = this.#parts
    return verify(this.#log.tables, transfers, { ...options, allPlaced })
  }

  /**
   * What the log is now, signed: kept elsewhere, it shows what is cut off or rewritten later. Waits until all entries are sealed.
   * @throws ConflictError `state_conflict` where no key was said (option `auditCheckpoints`); ForbiddenError for a caller who belongs to one tenant
   * @example await writeFile('/mnt/elsewhere/checkpoint.json', JSON.stringify(await storage.audit.checkpoint()))
   */
  async checkpoint(): Promise<Checkpoint> {
    requireWholeDatabase(this.#log.units, 'a checkpoint is about')
    return this.#checkpoint()
  }

  /**
   * Proves that an entry is in the log. Whoever has a checkpoint needs nothing else for that: `checkProof` says whether the proof leads to
   * its root, and that root is the checkpoint's. Waits until the entry is sealed.
   * @throws NotFoundError for an entry that there is not, or that the caller may not read; ConflictError `state_conflict` where `size` does
   * not reach to it; InvalidQueryError for a size that is none
   * @example
   * const proof = await storage.audit.proof(7, { size: checkpoint.size })
   * checkProof(proof) && proof.root === checkpoint.root // true
   */
  async proof(id: number, { size }: ProofOptions = {}): Promise<InclusionProof> {
    if (size !== undefined && !(Number.isSafeInteger(size) && size >= 1))
      throw new InvalidQueryError('The size of a proof is that of a checkpoint: a whole number from 1 on.')
    let entry = await this.get(id)
    if (entry?.position === null) {
      await this.waitUntilSealed()
      entry = await this.get(id)
    }
    if (!entry) throw new NotFoundError(`There is no audit entry ${id}.`)
    const { position } = entry
    if (position === null) throw new ConflictError('state_conflict', `The audit entry ${id} is not sealed yet. Try again in a second.`)
    return prove(this.#log.tables, { id, position }, size)
  }

  async #checkpoint(): Promise<Checkpoint> {
    const key = this.#parts.checkpoints?.key
    if (!key)
      throw new ConflictError(
        'state_conflict',
        'Checkpoints are signed, and no key was said. Make one with openssl genpkey -algorithm ed25519, and name it in the option auditCheckpoints.',
      )
    await this.#log.order.waitUntilSealed(new Date())
    const { head, size, leaves } = await readTree(this.#log.tables)
    const { origin, epoch } = head
    const root = Buffer.from(leaves.root()).toString('hex')
    return key.sign({ origin, epoch, size, root, timestamp: new Date().toISOString() })
  }
}
