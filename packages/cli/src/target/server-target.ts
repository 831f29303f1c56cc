import { Readable, type Writable } from 'node:stream'
import { WrongUse } from '../faults.ts'
import { asRecord } from '../http/read-fault.ts'
import { Server, type ServerOptions } from '../http/server.ts'
import { uploadFile, uploadForm } from '../http/upload.ts'
import { writableAt } from '../output/write.ts'
import { awaitImport } from './import-job.ts'
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

/** Entries on a page of the log: the most that a server gives unless it is told otherwise. */
const pageSize = 1_000

/** Checkpoints that go into the URL of one question: servers take some 16 KB of it. */
const mostCheckpoints = 16

/** A server, asked over HTTP. */
export class ServerTarget implements Target {
  readonly name: string
  readonly #server: Server
  readonly #user: string

  constructor({ user, ...options }: ServerOptions & { readonly user: string }) {
    this.#server = new Server(options)
    this.#user = user
    this.name = this.#server.name
  }

  async backup(output: string | Writable, watch: Watch): Promise<void> {
    watch.progress.step('The server makes the backup')
    const answer = await this.#server.ask({ path: '/db/backup.sqlite' }, watch)
    await this.#server.download(answer, 'application/x-sqlite3', writableAt(output), watch)
  }

  async export(output: Writable, { tables, secrets, spreadsheet }: ExportChoices, watch: Watch): Promise<void> {
    const query = { tables: tables?.join(','), secrets, ...(spreadsheet && { spreadsheet: 'true' }) }
    const answer = await this.#server.ask({ path: '/db/export.zip', query }, watch)
    await this.#server.download(answer, 'application/zip', output, watch)
  }

  async restore(source: Source, { dryRun, integrityCheck }: RestoreChoices, watch: Watch): Promise<Document> {
    const query = { dry_run: String(dryRun), integrity_check: String(integrityCheck) }
    const words = { progress: watch.progress, afterwards: dryRun ? 'Checking the file' : 'Restoring' }
    const { body, headers } = await uploadFile(source, 'application/x-sqlite3', words)
    const answer = await this.#server.ask({ method: 'POST', path: '/db/restore', query, headers: this.#signed(headers), body }, watch)
    return asRecord(await this.#server.json(answer))
  }

  async undoRestore({ dryRun }: Pick<RestoreChoices, 'dryRun'>, watch: Watch): Promise<Document> {
    watch.progress.step(dryRun ? 'Checking the safety copy' : 'Restoring')
    const ask = {
      method: 'POST',
      path: '/db/restore/undo',
      query: { dry_run: String(dryRun) },
      headers: this.#signed({ 'content-length': '0' }),
    }
    return asRecord(await this.#server.json(await this.#server.ask(ask, watch)))
  }

  async import(files: ImportFiles, { mode, dryRun }: ImportChoices, watch: Watch): Promise<Document> {
    const words = { progress: watch.progress, afterwards: 'Importing' }
    const { body, headers } =
      'zip' in files ? await uploadFile(files.zip, 'application/zip', words) : await uploadForm(files.csv, 'text/csv', words)
    // As a job it has a report whatever comes of it, and goes on where the connection does not.
    const signed = { ...this.#signed(headers), prefer: 'respond-async' }
    const ask = { method: 'POST', path: '/db/import', query: { mode, dry_run: String(dryRun) }, headers: signed, body }
    const answer = await this.#server.ask(ask, watch)
    const document = asRecord(await this.#server.json(answer))
    return answer.statusCode === 202 ? awaitImport(this.#server, String(document['id']), watch) : document
  }

  async *audit(filter: AuditFilter, limit: number, watch: Watch): AsyncGenerator<Document, void, undefined> {
    const { since, until, ...words } = filter
    const query = { ...words, since: since?.toISOString(), until: until?.toISOString() }
    yield* this.#entries('/db/audit', query, limit, watch)
  }

  async *history(record: RecordName, limit: number, watch: Watch): AsyncGenerator<Document, void, undefined> {
    yield* this.#entries(`${pathOf(record)}/history`, {}, limit, watch)
  }

  /** Page after page of a route that answers audit entries. */
  async *#entries(
    path: string,
    query: Readonly<Record<string, string | undefined>>,
    limit: number,
    watch: Watch,
  ): AsyncGenerator<Document, void, undefined> {
    let after: string | undefined
    for (let left = limit; left > 0; ) {
      const asked = Math.min(left, pageSize)
      const answer = await this.#server.ask({ path, query: { ...query, limit: String(asked), after } }, watch)
      const entries = await this.#server.json(answer)
      if (!Array.isArray(entries)) throw new WrongUse(`${this.name} answered with something else than audit entries.`)
      yield* entries.map(asRecord)
      left -= entries.length
      after = nextCursor(answer.headers.link)
      if (after === undefined) return
    }
  }

  async revertRecord(record: RecordName, { to, dryRun }: RevertChoices, watch: Watch): Promise<Document> {
    const { body, headers } = jsonBody({ to: typeof to === 'number' ? to : to.toISOString() })
    const query = { dry_run: String(dryRun) }
    const ask = { method: 'POST', path: `${pathOf(record)}/revert`, query, headers: this.#signed(headers), body }
    return asRecord(await this.#server.json(await this.#server.ask(ask, watch)))
  }

  async verifyAudit({ checkpoints, publicKey }: VerifyChoices, watch: Watch): Promise<Document> {
    watch.progress.step('The server verifies')
    const newest = checkpoints.toSorted((one, other) => one.size - other.size).slice(-mostCheckpoints)
    const checkpoint = newest.length === 0 ? undefined : newest.map((one) => JSON.stringify(one)).join('\n')
    const answer = await this.#server.ask({ path: '/db/audit/verify', query: { checkpoint, public_key: publicKey } }, watch)
    return asRecord(await this.#server.json(answer))
  }

  async revertChanges({ requestId, ...question }: RevertQuestion, dryRun: boolean, watch: Watch): Promise<Document> {
    const { body, headers } = jsonBody({ request_id: requestId, ...question })
    const ask = { method: 'POST', path: '/db/revert', query: { dry_run: String(dryRun) }, headers: this.#signed(headers), body }
    return asRecord(await this.#server.json(await this.#server.ask(ask, watch)))
  }

  async explainAccess(question: AccessQuestion, watch: Watch): Promise<Document> {
    const ask = { method: 'POST', path: '/db/explain-access', ...jsonBody(question) }
    return asRecord(await this.#server.json(await this.#server.ask(ask, watch)))
  }

  async health(watch: Watch): Promise<Document> {
    return asRecord(await this.#server.json(await this.#server.ask({ path: '/db/health' }, watch)))
  }

  async diagram({ format, system }: { readonly format: 'svg' | 'dot'; readonly system: boolean }, watch: Watch): Promise<string> {
    const answer = await this.#server.ask({ path: '/db/diagram.svg', query: { format, system: String(system) } }, watch)
    return this.#server.text(answer, format === 'svg' ? 'image/svg+xml' : 'text/vnd.graphviz')
  }

  async close(): Promise<void> {
    // Each question has a connection of its own.
  }

  #signed(headers: Readonly<Record<string, string>>): Record<string, string> {
    return { ...headers, 'x-user': this.#user }
  }
}

function pathOf({ component, id }: RecordName): string {
  return `/${encodeURIComponent(component)}/${encodeURIComponent(id)}`
}

function jsonBody(value: object): { readonly body: Readable; readonly headers: Readonly<Record<string, string>> } {
  const content = Buffer.from(JSON.stringify(value))
  return { body: Readable.from([content]), headers: { 'content-type': 'application/json', 'content-length': String(content.length) } }
}

/** The cursor of the next page: `Link: </db/audit?after=…>; rel="next"`. */
function nextCursor(link: string | string[] | undefined): string | undefined {
  const [, target] = /<([^>]*)>\s*;\s*rel="?next"?/.exec(String(link ?? '')) ?? []
  return target === undefined ? undefined : (new URL(target, 'http://server').searchParams.get('after') ?? undefined)
}
