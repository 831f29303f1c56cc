import { UsageError } from '../../errors.ts'
import type { SchedulePlan } from './backup-schedule.ts'
import type { BackupTarget } from './backup-target.ts'
import { folderTarget } from './folder-target.ts'

/** When backups are made by themselves, and how many are kept where. */
export interface BackupScheduleOptions {
  /** How long from the beginning of one to that of the next: `'30m'`, `'6h'`, `'1d'`, or milliseconds. */
  readonly every: string | number
  /** How many are kept: the oldest go, but never the last that was verified; 24 unless said. */
  readonly keep?: number
  /** The folder that they go to, or a place of your own. */
  readonly target: string | BackupTarget
}

/** Milliseconds. */
const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const names = ['every', 'keep', 'target']
const methods = ['write', 'list', 'read', 'remove'] as const

/** Reads the option `backups`. Throws UsageError `invalid_options` with a sentence. */
export function readPlan(options: BackupScheduleOptions): SchedulePlan {
  if (typeof options !== 'object' || options === null)
    refuse("backups is an object: backups: { every: '1h', keep: 24, target: './backups' }.")
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) refuse(`"${name}" is no option of backups. There are ${names.join(', ')}.`)
  }
  const { every, keep = 24, target } = options
  if (!Number.isSafeInteger(keep) || keep < 1) refuse('backups.keep must be a whole number from 1 on.')
  return { every: readInterval(every, 'backups.every'), keep, target: readTarget(target) }
}

/** Reads a time between two things, in milliseconds. Throws UsageError `invalid_options`, which names the option. */
export function readInterval(every: string | number, option: string): number {
  const [, count, unit] = /^(\d+)\s*([smhd])$/.exec(String(every)) ?? []
  // The expression lets no other units pass.
  const milliseconds = typeof every === 'number' ? every : Number(count) * units[unit as keyof typeof units]
  if (Number.isSafeInteger(milliseconds) && milliseconds >= 1) return milliseconds
  return refuse(`${option} is a time like '30m', '6h' or '1d', or a whole number of milliseconds from 1 on.`)
}

function readTarget(target: string | BackupTarget): BackupTarget {
  if (typeof target === 'string' && target.trim() !== '') return folderTarget(target)
  if (typeof target === 'object' && target !== null && methods.every((name) => typeof target[name] === 'function')) return target
  return refuse(`backups.target is a folder, or an object with the methods ${methods.join(', ')}.`)
}

function refuse(message: string): never {
  throw new UsageError('invalid_options', message)
}
