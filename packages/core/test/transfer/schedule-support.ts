import { mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { type BackupTarget, folderTarget } from '@strongroom/core'
import { onTestFinished } from 'vitest'
import { openEngine } from '../../src/engine/open-engine.ts'
import { BoundTable } from '../../src/query/bound-table.ts'
import { BackupRecords } from '../../src/schema/backup-records.ts'
import { prepareSchema } from '../../src/schema/prepare-schema.ts'
import { systemModels } from '../../src/schema/system-tables.ts'
import { Units } from '../../src/session/units.ts'
import { BackupLog, type BackupRecord } from '../../src/transfer/schedule/backup-log.ts'
import { BackupSchedule, type SchedulePlan } from '../../src/transfer/schedule/backup-schedule.ts'
import { Transfers } from '../../src/transfer/transfers.ts'

export const minute = 60_000

/** A clock that tests set. */
export class Clock {
  #now = Date.parse('2026-11-23T10:00:00.500Z')
  readonly now = (): Date => new Date(this.#now)

  move(milliseconds: number): void {
    this.#now += milliseconds
  }
}

/** A schedule as one process has it, and what it remembers. */
export interface OpenSchedule {
  readonly schedule: BackupSchedule
  readonly logged: string[]
  /** The tries, newest first. */
  records(): Promise<BackupRecord[]>
  close(): Promise<void>
}

/** Opens a database as a process of its own would, with a schedule that runs when it is told to. */
export async function openSchedule(url: string, plan: Partial<SchedulePlan> & { readonly clock: Clock }): Promise<OpenSchedule> {
  const engine = await openEngine(url, { sqlite: {}, postgres: {} })
  await prepareSchema(engine, [], { createTables: true })
  const logged: string[] = []
  const logger = {
    info: (message: string) => void logged.push(message),
    warn: (message: string) => void logged.push(message),
    error: (message: string, error: unknown) => void logged.push(`${message} ${error}`),
  }
  const home = {
    kyselyFor: () => {
      throw new Error('not used')
    },
  }
  const units = new Units({ engine, home, logger, timeLimit: 5_000, readTimeLimit: 5_000 })
  const log = new BackupLog(new BoundTable(BackupRecords, engine), units)
  const transfers = new Transfers()
  const source = { engine, models: systemModels, transfers }
  const target = plan.target ?? folderTarget(await freshFolder())
  const schedule = new BackupSchedule({ every: 60 * minute, keep: 24, ...plan, target, source, log, logger, clock: plan.clock.now })
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    await schedule.close()
    await transfers.close()
    await engine.close()
  }
  const one: OpenSchedule = {
    schedule,
    logged,
    records: () => log.newest(100),
    close: () => {
      closing ??= close()
      return closing
    },
  }
  onTestFinished(() => one.close())
  return one
}

export const freshFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'strongroom-schedule-'))
export const filesIn = async (folder: string): Promise<string[]> => (await readdir(folder)).toSorted()

/** A folder whose bytes somebody changes on their way. */
export function spoiling(folder: string, change: (bytes: Readable) => Readable): BackupTarget {
  const target = folderTarget(folder)
  return { ...target, write: (name, bytes) => target.write(name, change(bytes)) }
}
