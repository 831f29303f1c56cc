import { work } from '../worker/work.ts'
import { type BackupTask, writeBackup } from './write-backup.ts'

await work<BackupTask>(writeBackup)
