import { type Staging, stageFile } from '../../engine/portable-file.ts'
import { stepBack } from '../worker/step-back.ts'
import { work } from '../worker/work.ts'

stepBack()
await work<Staging>(stageFile)
