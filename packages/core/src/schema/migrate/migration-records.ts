import { AuditHead, AuditLog } from '../../audit/audit-log.ts'
import { AuditWriter, auditSubject } from '../../audit/record-change.ts'
import type { Connection, Engine } from '../../engine/engine.ts'
import { BoundTable } from '../../query/bound-table.ts'
import { everything } from '../../query/filter.ts'
import { deleteRows, insertRows, selectRows } from '../../query/rows.ts'
import type { UnitContext } from '../../session/context.ts'
import { runTask } from '../../session/task.ts'
import { MigrationRecords } from '../table-records.ts'

/** What has changed the tables of models. */
export interface MigrationRecord {
  readonly name: string
  readonly kind: 'migration' | 'automatic' | 'contained'
  readonly checksum: string | null
  readonly changes: readonly string[]
  readonly actor: string
  readonly applied_at: Date
  readonly position: number
}

/** The records of migrations in one database, each with its entry in the audit log. */
export class MigrationLog {
  readonly #table: BoundTable
  readonly #audit: AuditWriter

  constructor(engine: Engine) {
    this.#table = new BoundTable(MigrationRecords, engine)
    this.#audit = new AuditWriter(new BoundTable(AuditLog, engine), new BoundTable(AuditHead, engine))
  }

  /** In the order in which they were applied. */
  async all(connection: Connection): Promise<MigrationRecord[]> {
    const order = { filter: everything, includeDeleted: true, order: [] }
    const rows = await runTask(selectRows(this.#table, connection, undefined, order))
    // The fields of the model are those of the interface.
    return (rows as unknown as MigrationRecord[]).toSorted((a, b) => a.position - b.position)
  }

  /** Says what was done, in the unit that did it. */
  async add(
    connection: Connection,
    context: UnitContext,
    record: Omit<MigrationRecord, 'actor' | 'applied_at' | 'position'>,
  ): Promise<void> {
    const last = (await this.all(connection)).at(-1)?.position ?? 0
    const row = { ...record, actor: context.actor, applied_at: new Date(), position: last + 1 }
    await runTask(insertRows(this.#table, connection, [{ ...row }]))
    await this.#tell(connection, context, 'create', { before: null, after: { ...row } })
  }

  /** Says that it was taken back. */
  async remove(connection: Connection, context: UnitContext, record: MigrationRecord): Promise<void> {
    await runTask(deleteRows(this.#table, connection, context, [record.name]))
    await this.#tell(connection, context, 'delete', { before: { ...record }, after: null })
  }

  async #tell(
    connection: Connection,
    context: UnitContext,
    operation: 'create' | 'delete',
    change: Parameters<AuditWriter['recordChanges']>[4][number],
  ): Promise<void> {
    const subject = auditSubject(MigrationRecords.name, this.#table)
    await runTask(this.#audit.recordChanges(connection, context, subject, operation, [change]))
  }
}
