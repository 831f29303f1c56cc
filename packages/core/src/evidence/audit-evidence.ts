import { AuditAccessor, type AuditParts } from '../audit/audit-accessor.ts'
import { requireWholeDatabase } from '../session/whole-database.ts'
import type { Transfers } from '../transfer/transfers.ts'
import { type VerifyOptions, verify } from './verify.ts'
import type { AuditVerdict } from './verify-log.ts'

/** What the audit log proves with. */
export interface EvidenceParts {
  readonly transfers: Transfers
  /** Whether entries get their places as they are written, and not later. */
  readonly allPlaced: boolean
}

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

  constructor(log: AuditParts, parts: EvidenceParts) {
    super(log)
    this.#log = log
    this.#parts = parts
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
}
