import { Type } from 'typebox'
import { AuditHead, AuditLog, headId } from '../audit/audit-log.ts'
import { Erasures } from '../audit/erasures.ts'
import { hasPending, type LogTables, sealPending } from '../audit/seal-pending.ts'
import { Counters } from '../counters/counters-table.ts'
import type { Awaitable, Connection, Engine } from '../engine/engine.ts'
import { SchemaMismatchError } from '../errors.ts'
import { KeptAnswers } from '../idempotency/kept-answers.ts'
import { indexName, uniqueName } from '../model/constraint-names.ts'
import { defineSystemModel } from '../model/define-model.ts'
import type { AnyModel } from '../model/model.ts'
import { makeRowVersion } from '../model/row-version.ts'
import { makeUuid } from '../model/uuid.ts'
import { BoundTable } from '../query/bound-table.ts'
import { runTask } from '../session/task.ts'
import { BackupRecords } from './backup-records.ts'
import { JobRecords } from './job-records.ts'
import { MigrationRecords, TableRecords } from './table-records.ts'
import { createStatements } from './wanted-table.ts'

/** What the library knows of its own tables: their version, under the key `version`. */
export const SystemState = defineSystemModel('strongroom_state', { value: Type.String() }, { id: { name: 'key', type: 'text' } })

/** The models of the library's own tables. */
export const systemModels = [
  SystemState,
  AuditLog,
  AuditHead,
  KeptAnswers,
  BackupRecords,
  JobRecords,
  Counters,
  TableRecords,
  MigrationRecords,
  Erasures,
] as const

/** One step from a version of the library's own tables to the next. */
type Upgrade = (engine: Engine, connection: Connection) => Promise<void>

/** From version 1 on, and never changed once released: a database is brought up by the ones that it has not seen. */
const upgrades: readonly Upgrade[] = [
  creating(KeptAnswers),
  creating(BackupRecords),
  creating(JobRecords),
  creating(Counters),
  chainTheLog,
  creating(TableRecords, MigrationRecords),
  addLeaves,
  creating(Erasures),
  indexTransactions,
  tellAnswersApart,
  indexActorsByTime,
  listByPosition,
  mergeByTime,
  placeByComponent,
]

/** The version of the tables that this library makes. */
const currentVersion = upgrades.length + 1

/** Makes the library's own tables, or brings them up to this version. Runs inside `engine.define`. */
export async function upgradeSystemTables(engine: Engine, connection: Connection): Promise<void> {
  await create(engine, connection, [SystemState])
  const version = await systemVersion(engine, connection)
  if (version > currentVersion) throw new SchemaMismatchError([newerVersion(version)])
  if (version < currentVersion) await upgradeFrom(version, engine, connection)
  // Whoever writes an entry next gives it its place at once.
  if (engine.capabilities.serialWrites && (await isUnsettled(engine, connection))) await settleLog(engine, connection)
}

async function upgradeFrom(version: number, engine: Engine, connection: Connection): Promise<void> {
  if (version === 0) await createTables(engine, connection)
  else for (const upgrade of upgrades.slice(version - 1)) await upgrade(engine, connection)
  const row = { key: 'version', value: String(currentVersion), row_version: makeRowVersion() }
  const save = engine.builder
    .insertInto(SystemState.name)
    .values(row)
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: row.value }))
  await connection.run(save.compile())
}

/** Refuses a database whose own tables another version of the library made. */
export async function checkSystemVersion(engine: Engine, connection: Pick<Connection, 'all'>): Promise<string[]> {
  const version = await systemVersion(engine, connection)
  if (version > currentVersion) return [newerVersion(version)]
  return version < currentVersion ? ["The library's own tables are of an older version; open once with createTables to bring them up."] : []
}

async function systemVersion(engine: Engine, connection: Pick<Connection, 'all'>): Promise<number> {
  const query = engine.builder.selectFrom(SystemState.name).select('value').where('key', '=', 'version')
  const [row] = await connection.all(query.compile())
  return row ? Number(row.value) : 0
}

function newerVersion(version: number): string {
  return `The library's own tables are of version ${version}; this library knows ${currentVersion}. Use the newer library.`
}

/** A database that has none of the tables gets them as they are today. */
async function createTables(engine: Engine, connection: Connection): Promise<void> {
  const rest = systemModels.filter((model) => model !== SystemState)
  await create(engine, connection, rest)
  const head = { id: headId, epoch: 1, seq: 0, retained_below: 0, origin: makeUuid(), row_version: makeRowVersion() }
  await connection.run(engine.builder.insertInto(AuditHead.name).values(head).compile())
}

/** Makes tables and indexes of models, as far as they are missing. */
async function create(engine: Engine, connection: Connection, models: readonly AnyModel[]): Promise<void> {
  for (const sql of createStatements(models, engine)) await connection.run({ sql, parameters: [] })
}

/** A step that makes the tables of models. */
function creating(...models: readonly AnyModel[]): Upgrade {
  return (engine, connection) => create(engine, connection, models)
}

/** Gives the log its chain: the columns for it, and a place for each entry that stands there. */
async function chainTheLog(engine: Engine, connection: Connection): Promise<void> {
  const models = [AuditLog, AuditHead]
  await addColumns(engine, connection, models)
  await create(engine, connection, models)
  await connection.run(engine.builder.updateTable(AuditHead.name).set({ origin: makeUuid() }).where('origin', 'is', null).compile())
  await settleLog(engine, connection)
}

/** Gives entries of links that hold several a column for their own part. */
async function addLeaves(engine: Engine, connection: Connection): Promise<void> {
  await addColumns(engine, connection, [AuditLog])
}

async function addColumns(engine: Engine, connection: Connection, models: readonly AnyModel[]): Promise<void> {
  const live = await engine.inspect(connection)
  for (const model of models) {
    const there = new Set(live.find(({ name }) => name === model.name)?.columns.map(({ name }) => name))
    for (const field of model.fields.filter(({ name }) => !there.has(name))) {
      await connection.run({
        sql: `ALTER TABLE "${model.name}" ADD COLUMN "${field.name}" ${engine.columnDefinition(field)}`,
        parameters: [],
      })
    }
  }
}

/** Gives entries that wait for their places these, within a unit. */
export async function settleLog(engine: Engine, connection: Connection): Promise<void> {
  await runTask(sealPending(logTables(engine), connection))
}

/** Whether entries wait for their places. */
export function isUnsettled(engine: Engine, connection: Connection): Awaitable<boolean> {
  return runTask(hasPending(logTables(engine), connection))
}

function logTables(engine: Engine): LogTables {
  return { log: new BoundTable(AuditLog, engine), head: new BoundTable(AuditHead, engine) }
}

/** Entries are found by the unit that wrote them; the time at which they count as done is found by their positions, and needs no index. */
async function indexTransactions(engine: Engine, connection: Connection): Promise<void> {
  await engine.dropPlainIndex(connection, indexName(AuditLog.name, ['effective_at', 'seq']))
  await create(engine, connection, [AuditLog])
}

/** Answers are kept for a tenant. Of those that stand there nobody knows for which: they are found as before, and gone in a day. */
async function tellAnswersApart(engine: Engine, connection: Connection): Promise<void> {
  await addColumns(engine, connection, [KeptAnswers])
}

/** What an actor did, or one operation, is found by time, in a range of it too, by the index that had it by id. */
async function indexActorsByTime(engine: Engine, connection: Connection): Promise<void> {
  for (const name of ['actor', 'operation'])
    await connection.run({ sql: `DROP INDEX IF EXISTS "${indexName(AuditLog.name, [name, 'id'])}"`, parameters: [] })
  await create(engine, connection, [AuditLog])
}

/** Where entries have their positions at once, those of a component are listed by these. */
async function listByPosition(engine: Engine, connection: Connection): Promise<void> {
  if (!engine.capabilities.serialWrites) return
  await engine.dropPlainIndex(connection, indexName(AuditLog.name, ['component', 'id']))
}

/** Where entries are listed by one index for each operation, a range of time needs no index of its own. */
async function mergeByTime(engine: Engine, connection: Connection): Promise<void> {
  if (!engine.capabilities.serialWrites) return
  await engine.dropPlainIndex(connection, indexName(AuditLog.name, ['timestamp', 'id']))
}

/** Where entries have their positions at once, they are found by these within each component, and what keeps the log append-only gives none away twice. */
async function placeByComponent(engine: Engine, connection: Connection): Promise<void> {
  if (!engine.capabilities.serialWrites) return
  await engine.dropPlainIndex(connection, uniqueName(AuditLog.name, ['seq']))
}
