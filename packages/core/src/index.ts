export type { ErrorCode } from '@strongroom/contract'
export { auditOperations } from '@strongroom/contract'
export { type Access, type AccessRules, defineAccess, type FieldRules } from './access/define-access.ts'
export { type AccessOperation, accessOperations, type FieldRule, type RecordCondition, type Rule } from './access/rule.ts'
export { isInScope } from './access/scopes.ts'
export { ModelAccessor } from './accessor/accessor.ts'
export type { AggregateOptions, AggregateRow, MeasureText } from './accessor/aggregate.ts'
export type { ChangeWatch } from './accessor/change-watch.ts'
export type { AccessAnswer, AccessQuestion } from './accessor/explain-access.ts'
export type { FindOptions, IdsOrWhere, PageOptions, RecordPage, SelectionOf } from './accessor/find-options.ts'
export type { RecordFeed, RevertOptions } from './accessor/historic-accessor.ts'
export type { NamedInclusion } from './accessor/include.ts'
export type { JsonPage } from './accessor/json-page.ts'
export type { JsonRecord } from './accessor/json-record.ts'
export type { ConditionalWriteOptions } from './accessor/match.ts'
export type { BulkWriteOptions } from './accessor/meant.ts'
export type { DiffOptions, FieldDifference, RecordDiff } from './accessor/past/diff.ts'
export type { PastRecords } from './accessor/past/past-records.ts'
export type { HistoryOptions, HistoryPage } from './accessor/past/record-history.ts'
export type { FieldNames, Include, Selected } from './accessor/selected.ts'
export type { AuditAccessor, AuditCursorPage, AuditPage, AuditQuery } from './audit/audit-accessor.ts'
export type { AuditOperation } from './audit/audit-log.ts'
export type {
  ArrivalOptions,
  ChangeEvent,
  ChangePage,
  ChangePageOptions,
  ChangeSource,
  ChangesOptions,
  FollowOptions,
  RecordChangesOptions,
} from './audit/change-events.ts'
export type { AuditEntry } from './audit/entry.ts'
export type { AuditFault, AuditFaultKind } from './audit/log-fault.ts'
export type { Count, CountOptions } from './counters/shared-counters.ts'
export { databaseFile } from './engine/open-engine.ts'
export type { PostgresSettings, SqliteSettings } from './engine/settings.ts'
export type { RanStatement, StatementListener } from './engine/statement-listener.ts'
export {
  ConflictError,
  ForbiddenError,
  GoneError,
  InvalidQueryError,
  MigrationError,
  NotFoundError,
  PreconditionFailedError,
  QueryTimeoutError,
  SchemaMismatchError,
  StorageBusyError,
  StorageUnavailableError,
  StrongroomError,
  TransactionTimeoutError,
  UsageError,
  ValidationError,
  type ValidationIssue,
} from './errors.ts'
export type { AuditEvidence, ProofOptions } from './evidence/audit-evidence.ts'
export { type Checkpoint, readCheckpoints } from './evidence/checkpoint.ts'
export type { CheckpointFinding, HeldCheckpoint } from './evidence/hold-checkpoints.ts'
export { checkProof, type InclusionProof } from './evidence/proof.ts'
export type { CheckpointOptions } from './evidence/read-checkpoint-options.ts'
export type { VerifyOptions } from './evidence/verify.ts'
export type { AuditVerdict } from './evidence/verify-log.ts'
export type { StorageHealth } from './health/health.ts'
export { healthToJson } from './health/health-json.ts'
export type { CommitEvent, CommitHook, Hook, HookEvent, HookMoment, Operation } from './hooks/events.ts'
export type { OnceKey, OnceOptions, OnceResult } from './idempotency/once.ts'
export type { ImportJob, Job, JobError, JobState, RetentionJob } from './jobs/job.ts'
export type { JobWaitOptions, StorageJobs } from './jobs/jobs.ts'
export type { ImportJobOptions, ImportReceiver } from './jobs/start-import.ts'
export type { Logger } from './logger.ts'
export { defineModel } from './model/define-model.ts'
export {
  Bytes,
  DateTime,
  Decimal,
  Default,
  Int64,
  Json,
  PlainDate,
  Ref,
  type TDefault,
  type TField,
  type TReference,
} from './model/field-types.ts'
export { jsonSchemaOf } from './model/json-schema.ts'
export type { AnyModel, Field, Model } from './model/model.ts'
export type { ModelOptions } from './model/model-options.ts'
export { isId, parseId } from './model/record-id.ts'
export { type ReadRecord, recordFromJson, recordToJson, type WriteMode } from './model/record-json.ts'
export type { IdOf, IncludesOf, InsertOf, RowOf, TypesOf, UpdateOf } from './model/row-types.ts'
export { makeUuid } from './model/uuid.ts'
export type { JsonData, JsonValue } from './model/value-types/json.ts'
export { type MoveOptions, moveDatabase } from './move-database.ts'
export { type MigratorOptions, openMigrator } from './open-migrator.ts'
export type { AnyAccessor, StorageOptions } from './options.ts'
export type { OrderBy } from './query/order.ts'
export { versionOf } from './query/record-version.ts'
export type { FieldConditions, Where } from './query/where.ts'
export type { KeptEntries, RetentionOptions } from './retention/read-retention.ts'
export type { RetentionProgress, RetentionReport } from './retention/report.ts'
export {
  type RevertConflict,
  type RevertConflictReason,
  type RevertedComponent,
  type RevertReport,
  revertReportToJson,
} from './revert/report.ts'
export { mostReverted, type RevertChangesOptions, type RevertSelection, usuallyReverted } from './revert/selection.ts'
export type { SchemaEditor } from './schema/change/schema-editor.ts'
export type { AddedField, ChangedField, DroppedField, TableChanges } from './schema/change/table-changes.ts'
export type { FieldDefinition, IndexDefinition, ReferenceDefinition, TableDefinition } from './schema/definition/table-definition.ts'
export { type DiagramFormat, type DiagramOptions, diagramFormats } from './schema/diagram/diagram.ts'
export type { Migration, MigrationDatabase, MigrationSource, MigrationStatus } from './schema/migrate/migration.ts'
export type { MigratedReport, Migrator, SchemaReport } from './schema/migrate/migrator.ts'
export type { UnitContext } from './session/context.ts'
export type { EndedUnit, PieceOfWork, SeenJob, StorageObserver, WrittenRecords } from './session/observer.ts'
export type { CallerOptions, ReadOptions, WriteOptions } from './session/options.ts'
export { everyTenant, type Principal } from './session/principal.ts'
export type { SessionOf as Session, TablesOf, UnknownTables } from './session/tables.ts'
export { openStorage, type RecordName, type Storage, type TransactionOptions } from './storage.ts'
export type { BackupOptions, BackupReport } from './transfer/backup/backup.ts'
export type { ExportOptions } from './transfer/export/export.ts'
export type { ExportedColumn, ExportedFile, ExportManifest } from './transfer/export/manifest.ts'
export type { ImportContent, ImportSource } from './transfer/import/files-of.ts'
export type { ImportOptions } from './transfer/import/import.ts'
export {
  type ImportedTable,
  type ImportFault,
  type ImportProgress,
  type ImportReport,
  importReportToJson,
  type SkippedFile,
} from './transfer/import/report.ts'
export type { MovedTable, MoveProgress, MoveReport } from './transfer/move/move.ts'
export { type LogVerdict, type RestoreReport, restoreReportToJson } from './transfer/restore/report.ts'
export type { RestoreOptions } from './transfer/restore/restore.ts'
export type { CarryRule, EndRule, FileCheck, RestoreModule } from './transfer/restore/restore-modules.ts'
export type { RestoreStep, RestoreStepMessage } from './transfer/restore/steps.ts'
export type { BackupTarget } from './transfer/schedule/backup-target.ts'
export { folderTarget } from './transfer/schedule/folder-target.ts'
export { backupToJson, type KeptBackup } from './transfer/schedule/kept-backup.ts'
export type { BackupScheduleOptions } from './transfer/schedule/read-plan.ts'
export { type DatabaseView, type ViewOptions, viewDatabase } from './view.ts'
