import { sql } from 'kysely'
import { AuditHead, AuditLog } from '../audit/audit-log.ts'
import { hasOwnIndex } from '../audit/positions.ts'
import type { LogTables } from '../audit/seal-pending.ts'
import type { Engine, Statement } from '../engine/engine.ts'
import { ForbiddenError, InvalidQueryError } from '../errors.ts'
import { BoundTable } from '../query/bound-table.ts'
import type { Transfers } from '../transfer/transfers.ts'
import { reportOf } from '../transfer/worker/report-of.ts'
import { moduleUrl } from '../transfer/worker/run-in-worker.ts'
import { type Checkpoint, isSigned } from './checkpoint.ts'
import { headColumns } from './log-head.ts'
import type { PlacedReading } from './placed-entries.ts'
import type { AuditVerdict, VerifyTask } from './verify-log.ts'

/** What a log is held against. */
export interface VerifyOptions {
  /** Checkpoints of this log, in any order; their signatures are looked at first. */
  readonly checkpoints?: readonly Checkpoint[] | undefined
  /** The only key whose checkpoints are believed, as `public_key` of a checkpoint spells it; any key unless said. */
  readonly publicKey?: string | undefined
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

const placeColumns = ['epoch', 'seq', 'effective_at'] as const
const waitingColumns = ['id', 'component', 'record_id', 'operation', 'before', 'after'] as const
/** Bytes come in hexadecimal: a buffer for each of them would take longer than all else of a row. */
const waitingBytes = ['salt', 'payload_hash'] as const
const placeBytes = ['prev_hash', 'hash', 'leaf'] as const
const otherColumns = ['timestamp', 'actor', 'request_id', 'transaction_id', 'tenant', 'schema_version'] as const

/** Looks through a log in a thread of its own. */
export async function verify(
  tables: LogTables,
  transfers: Transfers,
  { checkpoints = [], publicKey, signal, allPlaced }: VerifyOptions & { readonly allPlaced: boolean },
): Promise<AuditVerdict> {
  for (const checkpoint of checkpoints) assertSigned(checkpoint, publicKey)
  const task: VerifyTask = { place: tables.log.engine.place, ...statementsOf(tables), allPlaced, checkpoints }
  return await reportOf<AuditVerdict>(transfers, { module: moduleUrl('./verify-worker', import.meta.url), task }, signal)
}

/** Looks through the log of a database that nobody writes to. */
export function verifyUnwritten(engine: Engine, transfers: Transfers): Promise<AuditVerdict> {
  return verify({ log: new BoundTable(AuditLog, engine), head: new BoundTable(AuditHead, engine) }, transfers, { allPlaced: true })
}

function assertSigned(checkpoint: Checkpoint, publicKey: string | undefined): void {
  if (publicKey !== undefined && checkpoint.public_key !== publicKey)
    throw new ForbiddenError(
      `The checkpoint of ${checkpoint.timestamp} is signed by another key than the one that is believed: ${checkpoint.public_key}.`,
    )
  if (!isSigned(checkpoint))
    throw new InvalidQueryError(
      `The checkpoint of ${checkpoint.timestamp} does not have the signature of its key: it was changed, or cut off.`,
    )
}

function statementsOf({ log, head }: LogTables): Pick<VerifyTask, 'head' | 'placed' | 'waiting'> {
  const { builder } = log.engine
  const entries = builder.selectFrom(log.model.name)
  return {
    head: plain(builder.selectFrom(head.model.name).select(headColumns).compile()),
    placed: placedReading(log),
    waiting: plain(
      entries
        .select([...waitingColumns, ...inHex(log, waitingBytes)])
        .where('seq', 'is', null)
        .orderBy('id')
        .compile(),
    ),
  }
}

function inHex({ engine }: BoundTable, names: readonly string[]) {
  return names.map((name) => sql`${engine.text.hex(sql.ref(name))}`.as(name))
}

function placedReading(log: BoundTable): PlacedReading {
  const from = log.engine.builder.selectFrom(log.model.name)
  const entries = from.select([...waitingColumns, ...otherColumns, ...placeColumns, ...inHex(log, [...waitingBytes, ...placeBytes])])
  if (hasOwnIndex(log)) return { by: 'position', all: plain(entries.where('seq', 'is not', null).orderBy('seq').compile()) }
  // The values are those of whoever reads.
  const firsts = from.select('seq').where('component', '=', '').where('seq', '>=', 0)
  const strayed = entries.where('component', '=', '').where('seq', '>=', 0).where('seq', '<', 0)
  return {
    by: 'component',
    nextComponent: from.select('component').where('component', '>', '').orderBy('component').limit(sql.lit(1)).compile().sql,
    firstPosition: firsts.orderBy('seq').limit(sql.lit(1)).compile().sql,
    straight: entries.where('id', '>=', 0).where('id', '<', 0).whereRef('seq', '=', 'id').orderBy('id').compile().sql,
    strayed: strayed.whereRef('seq', '<>', 'id').orderBy('seq').compile().sql,
  }
}

/** What goes to another thread is plain data. */
function plain({ sql, parameters }: Statement): Statement {
  return { sql, parameters }
}
