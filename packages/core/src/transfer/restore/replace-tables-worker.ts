import { work } from '../worker/work.ts'
import { type ReplaceTablesTask, replaceTables } from './replace-tables.ts'

await work<ReplaceTablesTask>((task, _output, tell) => replaceTables(task, tell))
