import { stepBack } from '../worker/step-back.ts'
import { work } from '../worker/work.ts'
import { type BackupTask, writeBackup } from './write-backup.ts'

stepBack()
await work<BackupTask>(writeBackup)
