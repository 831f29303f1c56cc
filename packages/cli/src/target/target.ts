import type { Readable, Writable } from 'node:stream'
import type { AccessOperation, Checkpoint } from '@strongroom/core'
import type { Progress } from '../output/progress.ts'

/** How something that takes its time is watched, and ended. */
export interface Watch {
  readonly signal: AbortSignal
  readonly progress: Progress
}

/** An answer in the form in which a server gives it. */
export type Document = Readonly<Record<string, unknown>>

/** Which entries of the audit log are asked for: the parameters of `GET /db/audit`. */
export interface AuditFilter {
  readonly component?: string | undefined
  readonly record_id?: string | undefined
  readonly actor?: string | undefined
  readonly operation?: string | undefined
  readonly request_id?: string | undefined
  readonly since?: Date | undefined
  readonly until?: Date | undefined
}

export interface ExportChoices {
  readonly tables?: readonly string[] | undefined
  readonly secrets: 'mask' | 'include'
  readonly spreadsheet: boolean
}

/** A file that is read: by its path, or as it comes. */
export type Source = string | Readable

export interface RestoreChoices {
  readonly dryRun: boolean
  readonly integrityCheck: boolean
}

export interface ImportChoices {
  readonly mode: 'insert' | 'upsert'
  readonly dryRun: boolean
}

/** What is imported: a zip, or CSV files by their tables. */
export type ImportFiles = { readonly zip: Source } | { readonly csv: ReadonlyMap<string, Source> }

/** The caller whom a question is about; without an id it is one whom nobody knows. */
export interface Caller {
  readonly id: number | string | null
  readonly roles: readonly string[]
  readonly scopes?: readonly string[]
  readonly tenant?: string
}

/** May this caller do this, with any record or with the one that has this id? */
export interface AccessQuestion {
  readonly component: string
  readonly operation: AccessOperation
  readonly principal: Caller
  /** As it stands in a path. */
  readonly id?: string
}

/** A record, by its component and its id as it stands in a path. */
export interface RecordName {
  readonly component: string
  readonly id: string
}

/** Where a record goes back to: an instant, or the id of one of its audit entries. */
export interface RevertChoices {
  readonly to: Date | number
  readonly dryRun: boolean
}

/** What an audit log is held against. */
export interface VerifyChoices {
  readonly checkpoints: readonly Checkpoint[]
  /** The only key that is believed. */
  readonly publicKey?: string
}

/** What is to be undone: one request, batch, import, or what an actor did since an instant. */
export interface RevertQuestion {
  readonly requestId?: string | undefined
  readonly batch?: string | undefined
  readonly import?: string | undefined
  readonly actor?: string | undefined
  readonly since?: Date | undefined
  readonly until?: Date | undefined
  readonly conflicts: 'refuse' | 'skip'
}

/** A server or a database, and what can be done with it. */
export interface Target {
  /** For people: without passwords. */
  readonly name: string
  /** Writes a backup to a path where nothing is, or to a stream. */
  backup(output: string | Writable, watch: Watch): Promise<void>
  export(output: Writable, choices: ExportChoices, watch: Watch): Promise<void>
  restore(source: Source, choices: RestoreChoices, watch: Watch): Promise<Document>
  undoRestore(choices: Pick<RestoreChoices, 'dryRun'>, watch: Watch): Promise<Document>
  import(files: ImportFiles, choices: ImportChoices, watch: Watch): Promise<Document>
  /** The newest first. */
  audit(filter: AuditFilter, limit: number, watch: Watch): AsyncIterable<Document>
  /** Goes through the audit log. */
  verifyAudit(choices: VerifyChoices, watch: Watch): Promise<Document>
  /** Entries about one record, the newest first. */
  history(record: RecordName, limit: number, watch: Watch): AsyncIterable<Document>
  /** Answers the record as it is then. */
  revertRecord(record: RecordName, choices: RevertChoices, watch: Watch): Promise<Document>
  revertChanges(question: RevertQuestion, dryRun: boolean, watch: Watch): Promise<Document>
  explainAccess(question: AccessQuestion, watch: Watch): Promise<Document>
  health(watch: Watch): Promise<Document>
  diagram(choices: { readonly format: 'svg' | 'dot'; readonly system: boolean }, watch: Watch): Promise<string>
  close(): Promise<void>
}
