import { fileOf } from './database-place.ts'
import type { Codec, DatabasePlace, StoredKind, StoredRow, TableDefiner } from './engine.ts'

/** How far the rows of one table are. */
export interface MovedRows {
  readonly rows: number
  /** The id of the last one, as text that the mover reads back; null before the first. */
  readonly last: string | null
}

/** What is noted in a target until the move is done. */
export interface MoveNotes {
  /** What is moved, in the mover's words: another move must not go on with it. */
  readonly about: string
  /** All rows, indexes and references are there. */
  readonly whole: boolean
  readonly tables: ReadonlyMap<string, MovedRows>
}

/** Rows of one table on their way in. */
export interface TableLoad {
  /** Takes rows, in the target's own form; resolves when there is room for more. They stay when `keep` says so. */
  add(rows: readonly (readonly unknown[])[]): Promise<void>
  /** Has all rows stay that were added, together with the note of them. */
  keep(now: MovedRows): Promise<void>
}

/** A table whose ids the database counts. */
export interface CountedTable {
  readonly table: string
  readonly idColumn: string
  /** The next id is above it. */
  readonly last: number
}

/** A database that gets everything of another one. Nobody else has it open for writing. */
export interface MoveTarget {
  readonly definer: TableDefiner
  /** References are added once all rows are there, and not with the tables. */
  readonly referencesLast: boolean
  codec(field: StoredKind): Codec
  /** Names of tables that stand there, without that of the notes. */
  tables(): Promise<readonly string[]>
  /** Undefined where no move was begun. */
  notes(): Promise<MoveNotes | undefined>
  /** Makes the tables and the notes, or nothing. */
  begin(statements: readonly string[], about: string): Promise<void>
  /** Begins with the rows of a table. What was not kept is gone when the target is closed. */
  load(table: string, columns: readonly string[]): TableLoad
  /** Runs the last statements and sets the counters, or does nothing; what is there then outlasts a power cut. */
  complete(statements: readonly string[], counted: readonly CountedTable[]): Promise<void>
  /** Takes tables away again, and the notes. */
  clear(tables: readonly string[]): Promise<void>
  /** Takes the notes away: from now on it is a database like any other. */
  finish(): Promise<void>
  close(): Promise<void>
}

/** The table of the notes. */
export const notesTable = 'strongroom_move'

/** The name of the note that is about the whole move. */
export const wholeMove = ''

/** Opens a target, a file that there is not yet included. Throws StorageBusyError where another move is at work on it. */
export async function openMoveTarget(place: DatabasePlace): Promise<MoveTarget> {
  const file = fileOf(place)
  if (file !== undefined) return (await import('./sqlite/move-target.ts')).openSqliteMoveTarget(file)
  return (await import('./postgres/move-target.ts')).openPostgresMoveTarget(place)
}

/** Reads the rows of the notes. */
export function readNotes(rows: readonly StoredRow[]): MoveNotes {
  const notes = new Map<string, MovedRows>(
    rows.map(({ name, rows: count, last }) => [String(name), { rows: Number(count), last: last === null ? null : String(last) }]),
  )
  const whole = notes.get(wholeMove)
  notes.delete(wholeMove)
  return { about: whole?.last ?? '', whole: whole?.rows === 1, tables: notes }
}
