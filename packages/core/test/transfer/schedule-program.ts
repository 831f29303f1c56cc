import { setTimeout as pause } from 'node:timers/promises'
import { type BackupTarget, folderTarget, openStorage } from '@strongroom/core'

/** Opens a database with a schedule, and stays wherever it is told to: in the middle of a write, before the check, or nowhere. */
const [url = '', folder = '', where = ''] = process.argv.slice(2)
const target = folderTarget(folder)
const forEver = async (word: string): Promise<never> => {
  console.log(word)
  for (;;) await pause(1_000_000)
}
const staying: BackupTarget = {
  ...target,
  write: async (name, bytes) => {
    if (where === 'write') await forEver('writing')
    await target.write(name, bytes)
  },
  read: async (name) => (where === 'read' ? await forEver('reading') : target.read(name)),
}
await openStorage({
  url,
  accessors: [],
  backups: { every: '1h', target: staying },
  logger: { info: (message) => console.log(message), warn: console.log, error: console.log },
})
