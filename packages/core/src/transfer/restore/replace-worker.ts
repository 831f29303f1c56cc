import { work } from '../worker/work.ts'
import { type ReplaceTask, replaceDatabase } from './replace.ts'

await work<ReplaceTask>(replaceDatabase)
