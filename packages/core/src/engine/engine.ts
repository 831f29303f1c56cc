import type { Expression, Kysely, SqlBool } from 'kysely'
import type { Field } from '../model/model.ts'
import type { UnitContext } from '../session/context.ts'
import type { CopyInserts } from './copy-insert.ts'
import type { EntryChanges } from './entry-change.ts'
import type { EntryInsert } from './entry-insert.ts'
import type { JsonFunctions } from './json-functions.ts'
import type { LateWrite } from './late-write.ts'
import type { ListInserts } from './list-insert.ts'
import type { LogGuard } from './log-guard.ts'
import type { Reach } from './reach.ts'
import type { Signals } from './signals.ts'
import type { ColumnTarget, TableChange } from './table-change.ts'
import type { TimeBudget } from './time-budget.ts'

export type { Reach }

/** A value now, or a promise of it: SQLite answers at once, PostgreSQL later. */
export type Awaitable<T> = T | Promise<T>

/** A row as the driver hands it out, before the fields' codecs. */
export type StoredRow = Record<string, unknown>

/** SQL with its parameters in the engine's own form. Engines prepare each `sql` once and keep it. */
export interface Statement {
  readonly sql: string
  readonly parameters: readonly unknown[]
  /** What travels behind a statement of the engine's `copies`. */
  readonly copied?: Uint8Array
}

/** One of the last statements of a unit. */
export interface LastStatement extends Statement {
  /** Whose rows it touches, where they are other ones than its unit's. */
  readonly reach?: Reach
  /** Rows that it has to change: with fewer its unit is refused, with a ConstraintViolation of the kind `skipped`. It is a plain UPDATE or DELETE. */
  readonly changes?: number
}

/** What a unit of work, or a read, does to the database. It throws `session_finished` after its unit has ended. */
export interface Connection {
  /** Where units share a commit, what is written once for all of them; undefined where each writes for itself. */
  readonly late?: LateWrite | undefined
  /**
   * Runs a statement and hands out its rows (of a SELECT or a RETURNING). Throws `query_timeout` when it is a read that takes longer
   * than `time` allows; without `time` only its unit's limit holds.
   */
  all(statement: Statement, time?: TimeBudget): Awaitable<StoredRow[]>
  /** The first row of a statement that reads one, as `all` has it; left out where that is no quicker. */
  first?(statement: Statement, time?: TimeBudget): StoredRow | undefined
  /** Runs a statement and answers how many rows it changed. */
  run(statement: Statement): Awaitable<number>
  /** Inserts one row and answers the id that the database gave it; left out where RETURNING alone tells, which costs half as much again. Undefined where nothing was inserted. */
  insertedId?(statement: Statement): number | bigint | undefined
  /**
   * The same for several rows, whose ids follow the first one's in their order. Undefined, with nothing done, where something else may count ids meanwhile or pass over
   * rows: triggers of the app's own.
   */
  firstInsertedId?(statement: Statement): number | undefined
  /**
   * Runs SQL that somebody else wrote. Unless `write` is said, a statement that is not read-only is refused
   * with `unaudited_write` before it has changed anything.
   */
  raw(statement: Statement, options: { readonly write: boolean }): Awaitable<{ rows: StoredRow[]; changed: number }>
  /**
   * Runs the last statements of the unit, of which none needs another's answer, together with its COMMIT: afterwards nothing can be asked.
   * Answers their rows. Missing where nothing has to travel for an answer, so that nobody waits for one.
   */
  readonly conclude?: (statements: readonly LastStatement[]) => Promise<StoredRow[][]>
  /**
   * Runs the one statement of a unit that has asked nothing yet, together with its COMMIT, and answers its rows. Where there are none it has done
   * nothing, and the unit goes on as if it had not been asked. Missing where `conclude` is.
   */
  readonly concludeAlone?: (statement: Statement) => Promise<StoredRow[]>
  savepoint(name: string): Awaitable<void>
  /** Keeps what was done since the savepoint. */
  release(name: string): Awaitable<void>
  /** Undoes what was done since the savepoint, and drops it. */
  rollbackTo(name: string): Awaitable<void>
  /** Keeps other units from counting or inserting into a table until this unit ends; nothing where units never overlap. */
  lockTable(table: string): Awaitable<void>
  /** The same connection for statements that touch the rows of others, or of fewer; itself where the database knows no tenants. */
  heldTo(reach: Reach): Connection
}

/** One unit of work: all of it is committed, or none. */
export interface Unit<T> {
  readonly context: UnitContext
  /** Whose records its statements touch. */
  readonly reach: Reach
  /** Never shares a commit with others: it runs code that may wait (a transaction's callback, a hook known to await). */
  readonly alone: boolean
  /** Milliseconds from the unit's first statement to its rollback with `transaction_timeout`. */
  readonly timeLimit: number
  /** The library's own: it does not wait in the line of callers for a way into the database, where several can be in there at once. */
  readonly aside?: boolean
  /** It writes much: an engine that works in this thread does it in another one, so that the event loop stays live. */
  readonly large?: boolean
  /** Once it has changed anything, nothing but a fault of the database keeps it from its end. A hint: it is undone in any case. */
  readonly failsEarly?: boolean
  /** Does the work. May be called again, from the start, when an earlier try was rolled back through no fault of the unit. */
  readonly run: (connection: Connection) => Awaitable<T>
}

/** How one kind of value is stored: both ways are total for values that the field's `check` accepts, and never see null. */
export interface Codec {
  readonly encode: (value: unknown) => unknown
  readonly decode: (stored: unknown) => unknown
  /** Both ways hand the value through untouched. */
  readonly identity: boolean
  /** Whether what is stored is, letter by letter, what the value looks like in JSON; left out where it never is. */
  readonly isWire?: (stored: unknown) => boolean
}

/** What a field's storage depends on: plain data, so that it can go to another thread. */
export type StoredKind = Pick<Field, 'kind' | 'scale'>

/** Where a database is, in plain data: another thread opens it by this. `pooled` says that only a pooler of transactions leads there. */
export type DatabasePlace =
  | { readonly engine: 'sqlite'; readonly path: string }
  | { readonly engine: 'postgres'; readonly url: string; readonly connectWait: number; readonly schema?: string; readonly pooled?: true }

/** A statement in the order of a column that is one of its own, whose values are never null and never the same. */
export interface OrderedStatement extends Statement {
  readonly orderedBy: string
}

/** Takes the values of a row; integers of any size may be bigints. */
export type TakeRow = (values: readonly unknown[]) => Promise<void> | undefined

/** One moment of a database, on a connection of its own that writes nothing. */
export interface Snapshot {
  codec(field: StoredKind): Codec
  /**
   * Reads rows in batches of `mostRows` at most, and of 256 KiB where they are more than one row: in constant memory. One stream at a time;
   * after one that was not read to its end the snapshot can only be closed.
   */
  stream(statement: Statement, mostRows: number): AsyncIterable<StoredRow[]>
  /**
   * Hands over row after row, each as its values in the order of the statement's columns, for those who have no use for objects: they take as long to
   * make as all the rest. Where `take` answers a promise the next row waits for it. In constant memory, and one reading at a time, like `stream`.
   */
  eachRow(statement: OrderedStatement, take: TakeRow): Promise<void>
  /** The highest id that the database has given to a record of this table, 0 where it has given none. */
  lastCountedId(table: string, idColumn: string): Promise<number>
  close(): Promise<void>
}

/** A column in the terms of no engine: plain data, of which a field is one. */
export type ColumnDefinition = Pick<Field, 'name' | 'kind' | 'nullable' | 'values' | 'precision' | 'scale'>

/** Spells tables in an engine's DDL. */
export interface TableDefiner {
  readonly capabilities: Pick<EngineCapabilities, 'forwardReferences' | 'countedIdInIndexes' | 'serialWrites'>
  /** The column type of a field with its CHECKs where the engine needs them, as DDL text, e.g. `INTEGER CHECK ("active" IN (0, 1))`. */
  columnDefinition(column: ColumnDefinition): string
  /** `CREATE TABLE IF NOT EXISTS` for columns and references that are already spelled out. */
  createTableSql(table: string, definitions: readonly string[]): string
  /** The id's column with its primary key, e.g. `INTEGER PRIMARY KEY AUTOINCREMENT`. */
  idDefinition(column: ColumnDefinition, options: TableOptions): string
  /** The type as `inspect` would report it for this column. */
  columnType(column: Pick<ColumnDefinition, 'kind' | 'precision' | 'scale'>): string
  /** The values that a CHECK of this column allows; undefined where it has none. */
  allowedValues(column: Pick<ColumnDefinition, 'kind' | 'values'>): readonly (string | number)[] | undefined
}

/** A column as the models want it, or as it stands in the database. */
export interface ColumnShape {
  readonly name: string
  /** The engine's own spelling of the type, e.g. `TEXT` or `character varying`. */
  readonly type: string
  readonly nullable: boolean
  /** The values that a CHECK allows, where it has one that lists them. */
  readonly allowed?: readonly (string | number)[] | undefined
  /** The database fills the column when an insert leaves it out. */
  readonly hasDefault?: boolean
}

export interface IndexShape {
  readonly name: string
  readonly columns: readonly string[]
  readonly unique: boolean
  /** The predicate of a partial index covers live records only. */
  readonly liveOnly: boolean
  /** The predicate of a partial index covers records with a value in its first column; of indexes that keep nothing unique. */
  readonly presentOnly?: boolean
}

export interface ReferenceShape {
  /** The constraint's, where the engine tells it. */
  readonly name?: string
  readonly column: string
  readonly table: string
  readonly targetColumn: string
}

/** A table in terms that can be compared: wanted by a model, or found in the database. */
export interface TableShape {
  readonly name: string
  readonly columns: readonly ColumnShape[]
  readonly primaryKey: readonly string[]
  readonly indexes: readonly IndexShape[]
  readonly references: readonly ReferenceShape[]
}

/** What a table needs in DDL beyond its columns; the engine spells it. */
export interface TableOptions {
  /** Never hand out an integer id twice. */
  readonly countedId: boolean
}

/**
 * What engines throw when a statement breaks a constraint; every other failure is a StrongroomError already.
 * The accessor turns it into a ConflictError that names the model's field.
 */
export class ConstraintViolation extends Error {
  /** `check` and `notNull` mean that a value got past validation: an internal error. `skipped`: rows that were to change have not. */
  readonly kind: 'unique' | 'reference' | 'check' | 'notNull' | 'skipped'
  /** The table and columns, or the index or constraint, as far as the engine tells. */
  readonly table: string | undefined
  readonly columns: readonly string[]
  readonly constraint: string | undefined

  constructor(
    kind: ConstraintViolation['kind'],
    about: { table?: string; columns?: readonly string[]; constraint?: string; cause: unknown },
  ) {
    super(`${kind} constraint violated`, { cause: about.cause })
    this.kind = kind
    this.table = about.table
    this.columns = about.columns ?? []
    this.constraint = about.constraint
  }
}

/** The differences between engines that other rooms may ask for. Nobody asks for the engine's name. */
export interface EngineCapabilities {
  /** Units run one at a time, in the order in which they commit. */
  readonly serialWrites: boolean
  /** `SELECT … FOR UPDATE` exists and is needed to read a before-image. */
  readonly rowLocks: boolean
  /** A table may be made with a reference to one that does not stand yet. */
  readonly forwardReferences: boolean
  /** `sum` of integers, and of decimals, which are stored as such, fails past 64 bits. */
  readonly narrowSums: boolean
  /** The database is one file, of which a copy can be made as it stands. */
  readonly oneFile: boolean
  /** Every index ends with the integer id of its rows without naming it, and a comparison of several fields does not find it there. */
  readonly countedIdInIndexes: boolean
  /**
   * It chooses between indexes by how often it believes a value to occur, evenly spread: where the order alone would do it walks all records, and a
   * value that occurs often, and long ago, takes it as long as there are records.
   */
  readonly guessesValues: boolean
  /**
   * An INSERT of one row into a table with triggers says `OR FAIL`, which for one row is as good: the database then need not copy every
   * page that it changes, of the table and all its indexes, to undo the statement alone.
   */
  readonly insertOrFail: boolean
  /** Text of other programs may hold NUL. */
  readonly textWithNul: boolean
  /** The database itself holds rows to their tenants, whatever a statement says. */
  readonly rowSecurity: boolean
  /** The most parameters that one statement may have. */
  readonly maxParameters: number
}

/** How busy the way into the database is: its one writer, or its connections. */
export interface EngineQueue {
  /** Units that write, or connections that are in use. */
  readonly running: number
  /** Who waits for that. */
  readonly waiting: number
  /** Milliseconds that the first of them has waited. */
  readonly longestWait: number
}

export interface EngineHealth {
  /** e.g. `SQLite 3.54.1`. */
  readonly version: string
  /** Bytes of the database, with what is in its log alone. */
  readonly databaseBytes: number
  /** Bytes of the write-ahead log; null where that is the server's affair. */
  readonly walBytes: number | null
  /** Bytes that are free on the database's disk; null where that is the server's affair. */
  readonly freeDiskBytes: number | null
  /** As it was before the question. */
  readonly queue: EngineQueue
}

// biome-ignore lint/suspicious/noExplicitAny: tables are known by name only at run time; public handles are typed
export type AnyDatabase = any

/** Questions about text, by code points, in this engine's SQL. */
export interface TextFunctions {
  /** Where `part` begins in `text`, from 1 on; 0 where it does not occur. */
  position(text: Expression<unknown>, part: Expression<unknown>): Expression<number>
  /** The text as `fold` in fold.ts would fold it. */
  fold(text: Expression<unknown>): Expression<string>
  /** Whether `text` ends with `part`, which is not empty. */
  endsWith(text: Expression<unknown>, part: Expression<unknown>): Expression<SqlBool>
  /** Bytes in hexadecimal, in small letters; null for none. */
  hex(bytes: Expression<unknown>): Expression<string | null>
}

/** A database behind one small interface. Everything that differs between databases is in here and nowhere else. */
export interface Engine extends TableDefiner {
  /** For people (health, logs), never for decisions. */
  readonly name: 'sqlite' | 'postgres'
  readonly capabilities: EngineCapabilities
  readonly place: DatabasePlace
  /** Builds and compiles statements in this engine's SQL; it executes nothing. */
  readonly builder: Kysely<AnyDatabase>
  readonly text: TextFunctions
  /** Writes records as JSON; undefined where the program does it as well. */
  readonly json: JsonFunctions | undefined
  /** How processes tell each other something; undefined where the database has no such thing, and whoever waits looks again and again. */
  readonly signals: Signals | undefined
  /**
   * A condition that each SELECT carries, before its others, so that it can be stopped when its time is over; `texts` are columns of
   * text that is searched and may be long. Undefined where the server stops statements by itself.
   */
  readonly inTime: ((texts: readonly Expression<unknown>[]) => Expression<SqlBool>) | undefined
  /** Spells an INSERT of many rows as one of lists; undefined where values are as quick. */
  readonly lists: ListInserts | undefined
  /** Copies many rows into a table; undefined where values are as quick. */
  readonly copies: CopyInserts | undefined
  /** Spells the INSERT of a record and of its entry as one statement; undefined where two are as quick. */
  readonly insertWithEntry: ((insert: EntryInsert) => string) | undefined
  /** Spells the change of a record and the INSERT of its entry as one statement; undefined where they are as quick one after the other. */
  readonly entryChanges: EntryChanges | undefined
  /** Reads outside any unit: committed data only, never blocked by a writer. The library's own reads touch the rows of every tenant. */
  read<T>(work: (connection: Connection) => Awaitable<T>, reach?: Reach): Awaitable<T>
  /**
   * Reads one moment of the committed data, however many statements that takes and whatever is committed meanwhile: the rows of every
   * tenant, so that the statements' conditions alone hold the line.
   */
  readMoment<T>(work: (connection: Connection) => Awaitable<T>): Promise<T>
  /** Reads rows in chunks from one snapshot, in constant memory; those of every tenant unless said. */
  stream(statement: Statement, chunkSize: number, reach?: Reach): AsyncIterable<StoredRow[]>
  /** Runs a unit of work; resolves after its commit. Every failure, found in the unit or at the commit, arrives after the rollback. */
  write<T>(unit: Unit<T>): Promise<T>
  codec(field: StoredKind): Codec
  /** Reads the tables that stand in the database now. */
  inspect(connection: Pick<Connection, 'all'>): Awaitable<TableShape[]>
  /**
   * Runs DDL in one unit under a lock that keeps other processes from doing the same. Only with `changesTables` may `changeTable` be
   * called; references are then held against each other at its end. Throws StorageBusyError when others keep what is changed.
   */
  define<T>(work: (connection: Connection) => Promise<T>, options?: { readonly changesTables?: boolean }): Promise<T>
  /** Changes a table that stands, as far as this can be done without asking what is in its rows. */
  changeTable(connection: Connection, change: TableChange): Promise<void>
  /**
   * Drops an index, if it stands, whose values nobody has to take out of the file: what the database writes over when it is deleted, it is
   * spared here (measured on SQLite, three indexes of ten million entries: 5.7 s instead of 11 s, and 1 MB of log instead of 800).
   */
  dropPlainIndex(connection: Connection, name: string): Promise<void>
  /** Views, triggers and policies that name a column and would be broken without it, e.g. `view report`, as far as the database knows. */
  dependentsOf(connection: Connection, table: string, column: string): Promise<string[]>
  /** Gives each of these rows its own value in one column: pairs of an id and a value, both in the engine's form. */
  setColumn(connection: Connection, target: ColumnTarget, rows: readonly (readonly [unknown, unknown])[]): Awaitable<void>
  /** The highest id that a table has counted, below which nothing is counted any more; left out where units count at the same time. */
  lastCountedId?(connection: Connection, table: string): Awaitable<number>
  /**
   * Looks at what tables hold now that many rows came at once, which the database would do by itself within minutes: until then it plans
   * questions for what they held before. Left out where plans do not depend on that.
   */
  renewStatistics?(tables: readonly string[]): Promise<void>
  /** Makes sure that the next counted id is above `id`. */
  advanceIds(connection: Connection, table: string, idColumn: string, id: number): Awaitable<void>
  /** Gives rows values of their own, many rows at a time: each `row` is the id and then a value, in code form, for each of the columns. */
  setEach(connection: Connection, table: string, columns: readonly Field[], rows: readonly (readonly unknown[])[]): Awaitable<void>
  /** Reads a SELECT without parameters inside a unit, in pieces of so many rows, as it stands when the first is read. `use` may write. */
  inPieces(connection: Connection, sql: string, size: number, use: (rows: readonly StoredRow[]) => Promise<void>): Promise<void>
  /**
   * Lets the units of this process that run now end, and none begin until the answer is called; those that wait too long are refused with
   * `storage_busy`. Reads go on.
   */
  holdWrites(): Promise<() => void>
  /** How tables hold their rows to their tenants now, by their names: those that do. */
  tenantPolicies(connection: Pick<Connection, 'all'>): Awaitable<ReadonlyMap<string, string>>
  /** How `tenantPolicies` would tell that rows are held to the tenants in this field; undefined where the database knows no tenants. */
  tenantPolicy(field: Field): string | undefined
  /** The statements that have the database hold a table's rows to the tenants in a field, whatever stands there now. */
  tenantPolicySql(table: string, field: Field): string[]
  /** Whether the database itself keeps a log append-only, in each of its ways. */
  isGuarded(connection: Pick<Connection, 'all'>, guard: LogGuard): Awaitable<boolean>
  /** The statements that have it do so, whatever stands there now. */
  guardSql(guard: LogGuard): string[]
  /** Says that tables hold their rows to tenants, so that units and reads have to say whose they touch. */
  holdTenants(tables: Iterable<string>): void
  /**
   * Answers a function that gives a number, which has grown whenever a commit, of whichever process, may have changed rows of these
   * tables; undefined where that cannot be told at once and for certain.
   */
  watch(tables: readonly string[]): (() => number | undefined) | undefined
  /**
   * Removes what restores of killed processes have left in the database itself. False where some may still be in use; asking again later
   * is safe.
   */
  removeLeftovers(): Promise<boolean>
  /** Forgets what is known of the tables: somebody has put others in their place. */
  refresh(): void
  /** Runs a real query. Throws `query_timeout` when it takes longer than `time` allows. */
  health(time?: TimeBudget): Promise<EngineHealth>
  /** Finishes what is running, refuses what is new with `storage_closed`, and lets go of the database. */
  close(): Promise<void>
}
