import { stepBack } from '../worker/step-back.ts'
import { work } from '../worker/work.ts'
import { type ExportTask, writeExport } from './write-export.ts'

stepBack()
await work<ExportTask>(writeExport)
