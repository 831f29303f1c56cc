import { readdirSync, readFileSync } from 'node:fs'

/** Of the figures in /proc: USER_HZ, which is 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

/** Processor seconds that were used until now: by this process and all that it has started, and by all programs of the machine. */
export interface ProcessorTimes {
  readonly own: number
  readonly all: number
}

/** How many processors other programs took between two looks. Linux alone tells; elsewhere it is not known. */
export function foreignLoad(before: ProcessorTimes | undefined, after: ProcessorTimes | undefined, seconds: number): number | undefined {
  if (!before || !after) return undefined
  return Math.max(0, (after.all - before.all - (after.own - before.own)) / seconds)
}

export function processorTimes(): ProcessorTimes | undefined {
  if (process.platform !== 'linux') return undefined
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] =
    readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.split(/\s+/).map(Number) ?? []
  return { own: ownTicks() / ticksPerSecond, all: (user + nice + system + irq + softirq) / ticksPerSecond }
}

/** Of this process and its descendants, with those that have ended. */
function ownTicks(): number {
  const found = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (lookAt(name) ?? []) : []))
  const ours = new Set([process.pid])
  // A process has a higher number than its parent, until the numbers begin anew.
  for (let grown = true; grown; ) {
    const before = ours.size
    for (const { pid, parent } of found) if (ours.has(parent)) ours.add(pid)
    grown = ours.size > before
  }
  return found.reduce((sum, { pid, ticks }) => (ours.has(pid) ? sum + ticks : sum), 0)
}

function lookAt(name: string): { readonly pid: number; readonly parent: number; readonly ticks: number } | undefined {
  try {
    // The name of a program may hold anything, and ends with the last bracket (proc_pid_stat(5)).
    const fields = readFileSync(`/proc/${name}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    const ticks = fields.slice(11, 15).reduce((sum, value) => sum + Number(value), 0)
    return { pid: Number(name), parent: Number(fields[1]), ticks }
  } catch {
    // It has ended.
    return undefined
  }
}
