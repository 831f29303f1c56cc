/** A move, without the rest of the library: whoever only moves a database has no use for the memory that all of it takes. */
export { databaseFile } from './engine/open-engine.ts'
export { type MoveOptions, moveDatabase } from './move-database.ts'
export type { MovedTable, MoveProgress, MoveReport } from './transfer/move/move.ts'
