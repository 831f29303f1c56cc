import { stepBack } from '../worker/step-back.ts'
import { work } from '../worker/work.ts'
import { type ExamineTask, examineFile } from './examine.ts'

stepBack()
await work<ExamineTask>(examineFile)
