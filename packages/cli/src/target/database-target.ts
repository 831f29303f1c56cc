import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { addAbortSignal, type Writable } from 'node:stream'
import {
  type DatabaseView,
  databaseFile,
  type ImportReport,
  importReportToJson,
  restoreReportToJson,
  revertReportToJson,
  type Storage,
  viewDatabase,
} from '@strongroom/core'
import { Fault, WrongUse } from '../faults.ts'
import { withoutPasswords } from '../output/printable.ts'
import { entryDocument, healthDocument } from './documents.ts'
import { type Core, type LoadedAccessors, loadAccessors } from './load-accessors.ts'
import type {
  AccessQuestion,
  AuditFilter,
  Document,
  ExportChoices,
  ImportChoices,
  ImportFiles,
  RecordName,
  RestoreChoices,
  RevertChoices,
  RevertQuestion,
  Source,
  Target,
  VerifyChoices,
  Watch,
} from './target.ts'

export interface DatabaseTargetOptions {
  readonly url: string
  /** Where the models are, if that is said. */
  readonly accessorsModule: string | undefined
  readonly user: string
  /** Make what is missing. */
  readonly create: boolean
}

/** A database, worked on without a server. Reading commands open it for reading alone. */
export class DatabaseTarget implements Target {
  readonly name: string
  readonly #options: DatabaseTargetOptions
  #loaded: Promise<LoadedAccessors> | undefined
  #view: Promise<DatabaseView> | undefined
  #storage: Promise<Storage> | undefined

  constructor(options: DatabaseTargetOptions) {
    this.#options = options
    this.name = databaseFile(options.url) ?? withoutPasswords(options.url)
  }

  async backup(output: string | Writable, { signal, progress }: Watch): Promise<void> {
    if (databaseFile(this.#options.url) === undefined) this.#assertAccessors('A backup of PostgreSQL')
    const view = await this.#viewed()
    progress.step('Making the backup')
    await view.backup(output, { signal })
  }

  async export(output: Writable, choices: ExportChoices, { signal, progress }: Watch): Promise<void> {
    this.#assertAccessors('An export')
    const view = await this.#viewed()
    progress.step('Exporting')
    await view.export(addAbortSignal(signal, output), choices)
  }

  async restore(source: Source, choices: RestoreChoices, { progress }: Watch): Promise<Document> {
    const storage = await this.#opened('A restore')
    progress.step(choices.dryRun ? 'Checking the file' : 'Restoring')
    return restoreReportToJson(await storage.restore(source, { ...choices, ...this.#who() }))
  }

  async undoRestore(choices: Pick<RestoreChoices, 'dryRun'>, { progress }: Watch): Promise<Document> {
    const storage = await this.#opened('A restore')
    progress.step(choices.dryRun ? 'Checking the safety copy' : 'Restoring')
    return restoreReportToJson(await storage.undoRestore({ ...choices, ...this.#who() }))
  }

  async import(files: ImportFiles, choices: ImportChoices, { signal, progress }: Watch): Promise<Document> {
    const storage = await this.#opened('An import')
    progress.step('Importing')
    const source = 'zip' in files ? files.zip : Object.fromEntries(files.csv)
    const report: ImportReport = await storage.import(source, {
      ...choices,
      ...this.#who(),
      signal,
      onProgress: ({ phase, rows }) => progress.say(`${phase} row ${rows.toLocaleString('en-US')}`),
    })
    return importReportToJson(report)
  }

  async *audit(filter: AuditFilter, limit: number, { signal }: Watch): AsyncGenerator<Document, void, undefined> {
    const { audit } = await this.#viewed()
    const query = Object.fromEntries(Object.entries({ ...filter, limit }).filter(([, value]) => value !== undefined))
    for await (const entry of audit.stream(query)) {
      signal.throwIfAborted()
      yield entryDocument(entry)
    }
  }

  history({ component, id }: RecordName, limit: number, watch: Watch): AsyncGenerator<Document, void, undefined> {
    return this.audit({ component, record_id: id }, limit, watch)
  }

  async revertRecord({ component, id }: RecordName, { to, dryRun }: RevertChoices): Promise<Document> {
    const storage = await this.#opened('A revert')
    const { core } = await this.#load(this.#assertAccessors('A revert'))
    const accessor = accessorOf(storage.accessors, component)
    const known = core.parseId(accessor.model, id)
    if (known === undefined) throw new WrongUse(`${component} has no record ${id}.`)
    const row = await accessor.revert(known, { to, dryRun, ...this.#who() })
    // Rows are plain objects of fields.
    return core.recordToJson(accessor.model, row as Record<string, unknown>, { secrets: 'omit' })
  }

  async verifyAudit(choices: VerifyChoices, { signal, progress }: Watch): Promise<Document> {
    const { audit } = await this.#viewed()
    progress.step('Verifying')
    return { ...(await audit.verify({ ...choices, signal })) }
  }

  async revertChanges({ conflicts, ...question }: RevertQuestion, dryRun: boolean, { progress }: Watch): Promise<Document> {
    const storage = await this.#opened('A revert')
    progress.step(dryRun ? 'Looking what would be undone' : 'Undoing')
    const selection = Object.fromEntries(Object.entries(question).filter(([, value]) => value !== undefined))
    return { ...revertReportToJson(await storage.revert(selection, { conflicts, dryRun, ...this.#who() })) }
  }

  async explainAccess({ id, ...question }: AccessQuestion): Promise<Document> {
    const module = this.#assertAccessors('Who may do what')
    const { core, accessors, access } = await this.#load(module)
    if (access.length === 0) throw new WrongUse(`${module} exports no rules: export const taskAccess = defineAccess(Task, { read: true }).`)
    const accessor = accessorOf(accessors, question.component)
    this.#view ??= core.viewDatabase({ url: this.#options.url, accessors, access })
    const record = id === undefined ? {} : { id: core.parseId(accessor.model, id) ?? id }
    return { ...(await (await this.#view).explainAccess({ ...question, ...record })) }
  }

  async health(): Promise<Document> {
    return healthDocument(await (await this.#viewed()).health())
  }

  async diagram(choices: { readonly format: 'svg' | 'dot'; readonly system: boolean }): Promise<string> {
    this.#assertAccessors('A diagram')
    return (await this.#viewed()).diagram(choices)
  }

  async close(): Promise<void> {
    // What could not be opened was told already.
    for (const open of [this.#view, this.#storage]) await (await open?.catch(() => undefined))?.close()
  }

  #who(): { readonly actor: string; readonly requestId: string } {
    return { actor: this.#options.user, requestId: randomUUID() }
  }

  /** Opens the database for reading: no byte of a file is changed. */
  #viewed(): Promise<DatabaseView> {
    this.#view ??= this.#openView()
    return this.#view
  }

  async #openView(): Promise<DatabaseView> {
    const { url, accessorsModule } = this.#options
    const loaded = accessorsModule === undefined ? undefined : await this.#load(accessorsModule)
    return (loaded?.core.viewDatabase ?? viewDatabase)({ url, accessors: loaded?.accessors })
  }

  /** Opens the database for writing. */
  #opened(what: string): Promise<Storage> {
    this.#storage ??= this.#openStorage(what)
    return this.#storage
  }

  async #openStorage(what: string): Promise<Storage> {
    const { url, create } = this.#options
    const { core, accessors } = await this.#load(this.#assertAccessors(what))
    const file = databaseFile(url)
    if (file !== undefined && !create && !existsSync(file))
      throw new WrongUse(`There is no database file ${file}. Say --create to make it, or correct its name.`)
    try {
      return await core.openStorage({ url, accessors, createTables: create })
    } catch (error) {
      throw explain(core, error)
    }
  }

  #assertAccessors(what: string): string {
    const { accessorsModule } = this.#options
    if (accessorsModule !== undefined) return accessorsModule
    throw new WrongUse(`${what} without a server needs the models: --accessors ./models.ts, a module that exports the accessors.`)
  }

  #load(module: string): Promise<LoadedAccessors> {
    this.#loaded ??= loadAccessors(module)
    return this.#loaded
  }
}

function accessorOf<Accessor extends { readonly component: string }>(accessors: readonly Accessor[], component: string): Accessor {
  const accessor = accessors.find((known) => known.component === component)
  if (accessor) return accessor
  throw new WrongUse(`There is no component "${component}". There are ${accessors.map((known) => known.component).join(', ')}.`)
}

/** The library's advice is for programs. */
function explain(core: Core, error: unknown): unknown {
  if (!(error instanceof core.SchemaMismatchError)) return error
  return new Fault(
    `The database does not fit the models:\n${error.differences.map((line) => `- ${line}`).join('\n')}\nSay --create to make tables that are missing.`,
    { code: error.code, status: error.status },
  )
}
