import type { Engine } from '../engine/engine.ts'
import type { Logger } from '../logger.ts'
import { BoundTable } from '../query/bound-table.ts'
import { AuditHead, AuditLog } from './audit-log.ts'
import { AuditOrder } from './audit-order.ts'
import { AuditWriter } from './record-change.ts'
import type { LogTables } from './seal-pending.ts'
import { Sealer } from './sealer.ts'

/** The audit log of an open database. */
export interface OpenLog extends LogTables {
  readonly writer: AuditWriter
  readonly order: AuditOrder
  /** Is to be told of commits, where entries have their positions with them. */
  readonly committed: (() => void) | undefined
  /** Begins to seal, where entries wait for that. */
  start(): void
  /** What seals now and later has some seconds left. */
  endSoon(): void
  /** Seals what there is, as far as there is time, and ends. */
  close(): Promise<void>
}

export interface OpenLogOptions {
  readonly logger: Logger
  /** Whether the running code is in a unit of work. */
  readonly isInside: () => boolean
}

export function openLog(engine: Engine, { logger, isInside }: OpenLogOptions): OpenLog {
  const tables = { log: new BoundTable(AuditLog, engine), head: new BoundTable(AuditHead, engine) }
  const sealer = engine.capabilities.serialWrites ? undefined : new Sealer({ ...tables, logger, onSealed: () => order.announce() })
  const order = new AuditOrder(tables, sealer, isInside)
  return {
    ...tables,
    order,
    writer: new AuditWriter(tables.log, tables.head, sealer?.notePending),
    committed: sealer ? undefined : order.announce,
    start: () => sealer?.start(),
    endSoon: () => sealer?.endSoon(),
    close: async () => await sealer?.close(),
  }
}
