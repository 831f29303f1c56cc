import { work } from '../worker/work.ts'
import { type ExportTask, writeExport } from './write-export.ts'

await work<ExportTask>(writeExport)
