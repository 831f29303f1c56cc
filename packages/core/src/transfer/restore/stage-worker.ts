import { stageFile } from '../../engine/portable-file.ts'
import { work } from '../worker/work.ts'

await work<Parameters<typeof stageFile>[0]>(stageFile)
