import { work } from '../worker/work.ts'
import { type ExamineTask, examineFile } from './examine.ts'

await work<ExamineTask>(examineFile)
