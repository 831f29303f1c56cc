import { openStorage } from '@strongroom/core'
import { accessorsOf, last, migrations } from './versions.ts'

/** Opens a database with the last version, which migrates it, and ends like a power cut after so many statements that write; 0: never. */
const [url = '', killAfter = '0'] = process.argv.slice(2)
let statements = 0
const storage = await openStorage({
  url,
  accessors: accessorsOf(last),
  migrations,
  onStatement: ({ sql }) => {
    // After a reading one everything is as it was before.
    if (/^\s*(?:SELECT|PRAGMA)\b/i.test(sql)) return
    statements++
    if (statements === Number(killAfter)) process.kill(process.pid, 'SIGKILL')
  },
})
process.stdout.write(`${statements}\n`)
await storage.close()
