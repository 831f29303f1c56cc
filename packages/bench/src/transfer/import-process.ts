import { openStorage } from '@strongroom/core'
import { startHeartbeat } from '../heartbeat.ts'
import { userAccessor } from '../strongroom-users.ts'

/**
 * One import in a process of its own: `node import-process.ts URL CSV [SMALLER]`. Prints how it went. A smaller file is imported before, in which
 * code that runs for the first time and the collector's young generation take what they take anyway.
 */
const [, , url = '', file = '', smaller = ''] = process.argv

const storage = await openStorage({ url, accessors: [userAccessor()] })
const atStart = process.memoryUsage.rss()
if (smaller !== '') await storage.import({ users: smaller }, { actor: 'bench' })
await storage.audit.waitUntilSealed()
const idle = process.memoryUsage.rss()
let peak = 0
let beats = 0
const heartbeat = startHeartbeat(() => {
  if (beats++ % 20 === 0) peak = Math.max(peak, process.memoryUsage.rss())
})
const start = performance.now()
let writingFrom = Number.NaN
const phases: Record<string, ReturnType<typeof heartbeat.take>> = {}
const report = await storage.import(
  { users: file },
  {
    actor: 'bench',
    onProgress: ({ phase }) => {
      if (phase !== 'writing' || !Number.isNaN(writingFrom)) return
      writingFrom = performance.now()
      phases['reading'] = heartbeat.take()
    },
  },
)
const end = performance.now()
phases['writing'] = heartbeat.take()
heartbeat.stop()
// On PostgreSQL entries get their places after the answer; on SQLite what the log has gathered is brought into the file then.
await storage.audit.waitUntilSealed()
const sealed = performance.now()
await storage.close()
const closed = performance.now()
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
const megabytes = (bytes: number): number => Math.round(bytes / 1_048_576)
process.stdout.write(
  JSON.stringify({
    rows: report.tables[0]?.inserted ?? 0,
    faults: report.errorCount,
    seconds: (end - start) / 1_000,
    readingSeconds: (writingFrom - start) / 1_000,
    lockSeconds: (end - writingFrom) / 1_000,
    sealingSeconds: (sealed - end) / 1_000,
    closingSeconds: (closed - sealed) / 1_000,
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    stalls: phases,
    startMegabytes: megabytes(atStart),
    idleMegabytes: megabytes(idle),
    growthMegabytes: megabytes(Math.max(peak, maxRSS * 1_024) - idle),
  }),
)
