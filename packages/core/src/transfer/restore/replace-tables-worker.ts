import { work } from '../worker/work.ts'
import { type ReplaceTablesTask, replaceTables } from './replace-tables.ts'

await work<ReplaceTablesTask>(replaceTables)
