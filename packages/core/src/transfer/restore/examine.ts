import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { DatabasePlace, Snapshot, Statement } from '../../engine/engine.ts'
import { openSnapshot } from '../../engine/open-snapshot.ts'
import {
  checkPortableFile,
  type FileConnection,
  objectsDefinedBy,
  objectsIn,
  objectsOf,
  openPortableFile,
  plainTableOf,
  portableId,
  type SchemaObject,
} from '../../engine/portable-file.ts'
import { ownPace } from '../worker/pace.ts'
import type { FileCheck } from './restore-modules.ts'

/** A look at a file, as another thread is asked for it. */
export interface ExamineTask {
  readonly path: string
  readonly place: DatabasePlace
  /** Where the live database is a file of the same kind: its own objects may stand in the other one too. */
  readonly liveFile: string | undefined
  /** What this library makes. */
  readonly definitions: readonly string[]
  /** What earlier versions of it made of the same names, each by itself. */
  readonly earlier: readonly (readonly string[])[]
  /** Tables that may stand in another form, which is brought up to date: those of the models, by their old names too. */
  readonly known: readonly string[]
  /** Where the tables that models had are remembered. */
  readonly memory: string
  readonly tables: readonly string[]
  readonly integrityCheck: boolean
  /** Reads the last entry of the log; finds an entry again; counts those behind one. */
  readonly log: { readonly table: string }
  /** What the file must not hold. */
  readonly checks: readonly FileCheck[]
}

/** Rows of a table now and in the file. */
export interface TableRows {
  readonly table: string
  readonly now: number
  /** Null where the file has no such table: it is made, empty. */
  readonly inFile: number | null
}

/** What a look at a file found out. */
export interface Findings {
  readonly bytes: number
  readonly sha256: string
  /** Why the file is no database that could be trusted; the rest is left out then. */
  readonly faults: readonly string[]
  /** It is a database of another application. */
  readonly foreign: boolean
  /** Objects that nobody knows, by name. */
  readonly strangers: readonly string[]
  /** Objects of the app's own that the file does not have. */
  readonly lost: readonly string[]
  /** What it holds and must not. */
  readonly refusals: readonly Pick<FileCheck, 'code' | 'sentence'>[]
  readonly tables: readonly TableRows[]
  /** What was written since the file was made. */
  readonly since: Since
}

export interface Since {
  /** Audit entries that the file does not have. */
  readonly entries: number
  /** When the file's last entry was written, RFC 3339; null without entries. */
  readonly lastEntry: string | null
  /** The live log holds the file's last entry: the file was made from this database, and no restore came in between. */
  readonly sameHistory: boolean
}

/** Bytes that are read at a time, 256 KiB: hashed in a fraction of a millisecond. */
const chunkBytes = 262_144

/** Looks at a file without changing anything. Blocks the thread. */
export async function examineFile(task: ExamineTask): Promise<Findings> {
  const { bytes, sha256 } = await measure(task.path)
  const unknown = {
    foreign: false,
    strangers: [],
    lost: [],
    refusals: [],
    tables: [],
    since: { entries: 0, lastEntry: null, sameHistory: false },
  }
  const fault = await headFault(task.path, bytes)
  if (fault !== undefined) return { bytes, sha256, faults: [fault], ...unknown }
  const faults = await checkPortableFile(task.path, { integrity: task.integrityCheck })
  if (faults.length > 0) return { bytes, sha256, faults, ...unknown }
  const file = await openPortableFile(task.path, { readonly: true })
  try {
    const foreign = !(await marksHere(task)).includes(markOf(file))
    if (foreign) return { bytes, sha256, faults: [], ...unknown, foreign }
    const { strangers, lost } = await compareObjects(file, task)
    if (strangers.length > 0) return { bytes, sha256, faults: [], ...unknown, strangers }
    return { bytes, sha256, faults: [], foreign, strangers, lost, refusals: refusalsOf(file, task), ...(await compareContent(file, task)) }
  } finally {
    file.close()
  }
}

/** Into one piece of memory again and again: chunks of a stream would lie about until somebody collects them. */
async function measure(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafeSlow(chunkBytes)
  const file = await open(path, 'r')
  let bytes = 0
  try {
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length)
      if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') }
      hash.update(chunk.subarray(0, bytesRead))
      bytes += bytesRead
      await ownPace.step()
    }
  } finally {
    await file.close()
  }
}

/** SQLite opens an empty file, and would make a database of it. */
async function headFault(path: string, bytes: number): Promise<string | undefined> {
  if (bytes === 0) return 'the file is empty'
  const head = Buffer.alloc(16)
  const file = await open(path, 'r')
  try {
    await file.read(head, 0, head.length, 0)
  } finally {
    await file.close()
  }
  // https://sqlite.org/fileformat2.html#magic_header_string
  return head.toString('latin1') === 'SQLite format 3\0' ? undefined : 'the file is no SQLite database, or an encrypted one'
}

/** A trigger or view in a file runs with the app's rights: nothing may stand in it that nobody knows (a hostile one wiped the log, measured). */
/** How files of ours are marked; an app that had the live one before us has given it its own mark, or none. */
async function marksHere({ liveFile }: ExamineTask): Promise<number[]> {
  if (liveFile === undefined) return [portableId]
  const live = await openPortableFile(liveFile, { readonly: true })
  try {
    return [portableId, markOf(live)]
  } finally {
    live.close()
  }
}

function markOf({ database }: FileConnection): number {
  return Number(database.pragma('application_id', { simple: true }))
}

async function compareObjects(
  file: FileConnection,
  { definitions, earlier, liveFile, known: tables, memory }: ExamineTask,
): Promise<{ strangers: string[]; lost: string[] }> {
  const key = ({ type, name, sql }: { type: string; name: string; sql: string | null }) => JSON.stringify([type, name, sql])
  const ours = await objectsDefinedBy(definitions)
  const before = (await Promise.all(earlier.map(objectsDefinedBy))).flat()
  const live = liveFile === undefined ? [] : await objectsIn(liveFile)
  const found = objectsOf(file)
  const known = new Set([...ours, ...before, ...live].map(key))
  const inFile = new Set(found.map(({ name }) => name))
  const oursByName = new Set(ours.map(({ name }) => name))
  // A table of a model may be an older one, or have been changed on its way here: that it does nothing is enough.
  // A view of that name could be anything, and take for ever.
  const remembers = found.some((object) => object.name === memory && plainTableOf(object) === memory)
  const remembered = remembers ? file.all(`SELECT name FROM "${memory}"`).map(({ name }) => String(name)) : []
  const ofModels = new Set([...tables, ...remembered])
  const isPlain = (object: SchemaObject): boolean => ofModels.has(plainTableOf(object) ?? '')
  return {
    strangers: found.filter((object) => !known.has(key(object)) && !isPlain(object)).map(({ type, name }) => `${type} ${name}`),
    lost: live
      .filter((object) => !inFile.has(object.name) && !oursByName.has(object.name) && !(object.type === 'index' && isPlain(object)))
      .map(({ type, name }) => `${type} ${name}`),
  }
}

function refusalsOf(file: FileConnection, { checks }: ExamineTask): Pick<FileCheck, 'code' | 'sentence'>[] {
  const names = new Set(objectsOf(file).map(({ name }) => name))
  const holds = ({ table, where }: FileCheck): boolean => file.all(`SELECT 1 FROM "${table}" WHERE ${where} LIMIT 1`).length > 0
  return checks.filter((check) => names.has(check.table) && holds(check)).map(({ code, sentence }) => ({ code, sentence }))
}

async function compareContent(file: FileConnection, task: ExamineTask): Promise<Pick<Findings, 'tables' | 'since'>> {
  const snapshot = await openSnapshot(task.place)
  try {
    const names = new Set(objectsOf(file).map(({ name }) => name))
    const tables: TableRows[] = []
    for (const table of task.tables) {
      const sql = `SELECT count(*) AS count FROM "${table}"`
      const now = Number((await one(snapshot, { sql, parameters: [] }))?.['count'])
      tables.push({ table, now, inFile: names.has(table) ? Number(file.all(sql)[0]?.['count']) : null })
    }
    return {
      tables,
      since: names.has(task.log.table)
        ? await compareLogs(file, snapshot, task.log.table)
        : { entries: 0, lastEntry: null, sameHistory: false },
    }
  } finally {
    await snapshot.close()
  }
}

async function compareLogs(file: FileConnection, snapshot: Snapshot, table: string): Promise<Since> {
  const [last] = file.all(`SELECT id, timestamp, transaction_id FROM "${table}" ORDER BY id DESC LIMIT 1`)
  const id = Number(last?.['id'] ?? 0)
  const behind = await one(snapshot, { sql: `SELECT count(*) AS count FROM "${table}" WHERE id > ${id}`, parameters: [] })
  const same = last && (await one(snapshot, { sql: `SELECT transaction_id FROM "${table}" WHERE id = ${id}`, parameters: [] }))
  return {
    entries: Number(behind?.['count'] ?? 0),
    lastEntry: last ? String(last['timestamp']) : null,
    sameHistory: last ? same?.['transaction_id'] === last['transaction_id'] : true,
  }
}

async function one(snapshot: Snapshot, statement: Statement): Promise<Record<string, unknown> | undefined> {
  let row: Record<string, unknown> | undefined
  for await (const [first] of snapshot.stream(statement, 1)) row ??= first
  return row
}
