import { AuditLog } from '../../audit/audit-log.ts'
import { canonicalJson } from '../../audit/canonical.ts'
import { auditEntry } from '../../audit/record-change.ts'
import type { StoredKind } from '../../engine/engine.ts'
import { makeRowVersion } from '../../model/row-version.ts'
import type { UnitContext } from '../../session/context.ts'

/** Who restores, and what. */
export interface RestoreDeed {
  readonly context: Pick<UnitContext, 'actor' | 'requestId' | 'unitId' | 'tenant'>
  readonly file: { readonly bytes: number; readonly sha256: string }
}

/** Where the log stood that is replaced. */
export interface ReplacedHead {
  readonly epoch: number
  readonly lastEntry: number | null
  /** The name of the copy that is kept of it. */
  readonly safety: string
}

/** A value of an entry's column, in code form. */
export type EntryValue = StoredKind & { readonly name: string; readonly value: unknown }

/** The entry that opens a new epoch of the log. */
export function restoreEntry({ context, file }: RestoreDeed, epoch: number, replaced: ReplacedHead): EntryValue[] {
  const entry = auditEntry(
    context,
    { timestamp: new Date(), epoch, operation: 'restore_database' },
    {
      component: 'db',
      recordId: null,
      schemaVersion: 1,
      before: canonicalJson({ epoch: replaced.epoch, last_entry: replaced.lastEntry }),
      after: canonicalJson({ bytes: file.bytes, epoch, safety_copy: replaced.safety, sha256: file.sha256 }),
    },
  )
  return AuditLog.fields
    .filter((field) => field !== AuditLog.id)
    .map((field) => {
      const { name, kind, scale } = field
      const value = field === AuditLog.rowVersion ? makeRowVersion() : (entry[name] ?? null)
      return { name, kind, ...(scale !== undefined && { scale }), value }
    })
}
