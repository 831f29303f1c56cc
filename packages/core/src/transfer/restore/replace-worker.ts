import { work } from '../worker/work.ts'
import { type ReplaceTask, replaceDatabase } from './replace.ts'

await work<ReplaceTask>((task, _output, tell) => replaceDatabase(task, tell))
