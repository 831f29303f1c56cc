import { fileOf } from './database-place.ts'
import type { DatabasePlace } from './engine.ts'
import { copySqliteFile } from './sqlite/copy-file.ts'

export { applicationId as portableId } from './sqlite/application-id.ts'
export { applyRowRules } from './sqlite/apply-row-rules.ts'
export { checkSqliteFile as checkPortableFile } from './sqlite/copy-file.ts'
export { earlierTable as earlierPortableTable, tableDefiner as portableTables } from './sqlite/ddl.ts'
export { type FileConnection, openFile as openPortableFile } from './sqlite/file-connection.ts'
export { holdFile } from './sqlite/held-file.ts'
export {
  earlierGuardSql as earlierPortableGuard,
  guardSql as portableGuard,
  unguardSql as portableUnguard,
} from './sqlite/log-guard.ts'
export { makeSqliteFile as makePortableFile, type NewFile as PortableFile } from './sqlite/new-file.ts'
export { plainTableOf } from './sqlite/plain-objects.ts'
export { replaceFile } from './sqlite/replace-file.ts'
export { objectsDefinedBy, objectsIn, objectsOf, type SchemaObject } from './sqlite/schema-objects.ts'
export { type Staging, stageFile } from './sqlite/stage-file.ts'
export { codecFor as portableCodec } from './sqlite/values.ts'
export { makeWorkFolder, removeLeftovers } from './sqlite/work-folder.ts'

/** Copies a database of an engine that keeps it in one such file (`oneFile`). `rest` is called in between, and may block the thread. */
export async function copyDatabaseFile(place: DatabasePlace, target: string, rest: () => void): Promise<void> {
  const path = fileOf(place)
  if (path === undefined) throw new Error('This database is no file that could be copied.')
  await copySqliteFile(path, target, rest)
}
