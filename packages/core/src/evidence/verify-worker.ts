import { stepBack } from '../transfer/worker/step-back.ts'
import { work } from '../transfer/worker/work.ts'
import { type VerifyTask, verifyLog } from './verify-log.ts'

stepBack()
await work<VerifyTask>(verifyLog)
