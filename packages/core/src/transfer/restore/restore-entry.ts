import { AuditHead, AuditLog } from '../../audit/audit-log.ts'
import { canonicalJson } from '../../audit/canonical.ts'
import { type ChainHead, chainEntries, later } from '../../audit/chain.ts'
import { auditEntry } from '../../audit/record-change.ts'
import type { StoredKind } from '../../engine/engine.ts'
import type { AnyModel } from '../../model/model.ts'
import { makeRowVersion } from '../../model/row-version.ts'
import type { FieldValues } from '../../query/bound-table.ts'
import type { UnitContext } from '../../session/context.ts'

/** Who restores, and what. */
export interface RestoreDeed {
  readonly context: Pick<UnitContext, 'actor' | 'requestId' | 'unitId' | 'tenant'>
  readonly file: { readonly bytes: number; readonly sha256: string }
}

/** The logs that meet in a restore. */
export interface MeetingLogs {
  /** Where the log stands that is replaced, and the last id that it has given away. */
  readonly live: ChainHead
  /** Where that of the file stands. */
  readonly staged: ChainHead
  /** Entries that were committed and not sealed when they were replaced. */
  readonly unsealed: number
  /** The name of the copy that is kept of what is replaced. */
  readonly safety: string
}

/** A value of a column, in code form. */
export type ColumnValue = StoredKind & { readonly name: string; readonly value: unknown }

/** What a restore writes to the log: its entry, and where the log stands with it. */
export interface RestoreRecord {
  readonly epoch: number
  readonly entry: readonly ColumnValue[]
  readonly head: readonly ColumnValue[]
}

/**
 * The entry that opens a new epoch of the log. It follows the file's last entry in the chain; its position, id and time are above those of
 * both logs, and it carries the head that it replaces.
 */
export function recordRestore({ context, file }: RestoreDeed, { live, staged, unsealed, safety }: MeetingLogs): RestoreRecord {
  const epoch = Math.max(live.epoch, staged.epoch) + 1
  const moment = new Date()
  const entry = auditEntry(
    context,
    { timestamp: moment, operation: 'restore_database' },
    {
      component: 'db',
      recordId: null,
      schemaVersion: 1,
      before: canonicalJson({
        epoch: live.epoch,
        hash: Buffer.from(live.hash).toString('hex'),
        last_entry: live.last_entry || null,
        position: live.seq,
        unsealed,
      }),
      after: canonicalJson({ bytes: file.bytes, epoch, safety_copy: safety, sha256: file.sha256 }),
    },
  )
  const start: ChainHead = {
    epoch,
    seq: Math.max(live.seq, staged.seq),
    hash: staged.hash,
    effective_at: later(staged.effective_at ?? moment, live.effective_at),
    transaction_id: staged.transaction_id,
    last_entry: Math.max(live.last_entry, staged.last_entry),
  }
  const { places, head } = chainEntries(start, [entry])
  return {
    epoch,
    entry: columnValues(AuditLog, { ...entry, ...places[0], [AuditLog.rowVersion.name]: makeRowVersion() }),
    head: columnValues(AuditHead, { ...head, sealed_at: moment }).filter(({ name }) => name in head || name === 'sealed_at'),
  }
}

function columnValues({ fields }: AnyModel, values: FieldValues): ColumnValue[] {
  return fields.map(({ name, kind, scale }) => ({ name, kind, ...(scale !== undefined && { scale }), value: values[name] ?? null }))
}
