import { randomUUID } from 'node:crypto'
import type { Logger } from '../../logger.ts'
import type { BackupSource } from '../backup/backup.ts'
import { type BackupLog, type BackupRecord, type Claim, holds, type Outcome } from './backup-log.ts'
import { type BackupTarget, placeOf } from './backup-target.ts'
import { keepBackup, settleBackup } from './keep-backup.ts'
import { patiently, targetPatience } from './patience.ts'
import { removeOldest } from './retention.ts'

/** When backups are made, and how many are kept where. */
export interface SchedulePlan {
  /** Milliseconds between the beginnings of two backups. */
  readonly every: number
  readonly keep: number
  readonly target: BackupTarget
}

/** What a schedule works with. */
export interface ScheduleParts extends SchedulePlan {
  readonly source: BackupSource
  readonly log: BackupLog
  readonly logger: Logger
  /** The time of day; tests have their own. */
  readonly clock?: () => Date
  /** Milliseconds that the target may do nothing; tests have no time. */
  readonly patience?: number
}

/** Milliseconds that the maker of a backup may be silent before another one takes its place: a loop that hangs for so long is as good as dead. */
const lease = 60_000

/** Milliseconds between two signs of life: three may be lost. */
const renewal = 15_000

/** Milliseconds between two looks whether a backup is due, at most and at least: one costs a look at one row. */
const look = { most: 60_000, least: 20 }

/** Milliseconds after which a backup that failed is tried again where the next one is later: whoever mends a full disk need not wait for a day. */
const retryAfter = 900_000

/** Milliseconds to remove half a backup while the storage is being closed. */
const farewell = 2_000

/** Makes backups when they are due: one maker among all processes that have the database open. */
export class BackupSchedule {
  readonly #parts: ScheduleParts
  readonly #owner = randomUUID()
  readonly #place: string
  readonly #patience: number
  /** The target, which is not waited for without end. */
  readonly #target: Pick<BackupTarget, 'list' | 'remove'>
  readonly #closing = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined

  constructor(parts: ScheduleParts) {
    this.#parts = parts
    const { target, patience = targetPatience } = parts
    this.#place = placeOf(target)
    this.#patience = patience
    const waiting = { signal: this.#closing.signal, patience }
    this.#target = {
      list: () => patiently(waiting, () => target.list()),
      remove: (name) => patiently(waiting, () => target.remove(name)),
    }
  }

  /** Looks now and then whether a backup is due. That alone keeps no process alive. */
  start(): void {
    const pause = Math.max(look.least, Math.min(this.#parts.every, look.most))
    this.#timer = setInterval(() => void this.runDue(), pause).unref()
    void this.runDue()
  }

  #now(): Date {
    return this.#parts.clock?.() ?? new Date()
  }

  /** Makes a backup if one is due and nobody is at it. Never rejects: failures are logged and remembered. */
  runDue(): Promise<void> {
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Ends the one that is being made: nothing is left of it. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#closing.abort(new Error('The storage is being closed.'))
    await this.#running
  }

  async #work(): Promise<void> {
    try {
      // The next one may be due when a lost one is settled.
      while (!this.#closing.signal.aborted) {
        const claim = await this.#claim()
        if (!claim) return
        await this.#fulfil(claim)
      }
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#parts.logger.error('Scheduled backups cannot be looked after now.', error)
    }
  }

  async #claim(): Promise<Claim | undefined> {
    const { log } = this.#parts
    const [last] = await log.newest(1)
    // Most looks end here: nothing is locked.
    if (last && (last.finished_at ? !this.#isDue(last) : holds(last, this.#now(), lease))) return undefined
    const taken = new Set(await this.#target.list().catch(() => []))
    if (last) taken.add(last.name)
    const now = this.#now()
    const name = freeName(now, taken)
    return log.claim({ owner: this.#owner, now, name, place: this.#place, lease, isDue: (record) => this.#isDue(record) })
  }

  /** A clock that was set back does not stop the backups: what counts is how far the last one is away. */
  #isDue({ started_at, error }: BackupRecord): boolean {
    const { every } = this.#parts
    const distance = Math.abs(this.#now().getTime() - started_at.getTime())
    return distance >= (error === null ? every : Math.min(every, retryAfter))
  }

  async #fulfil({ record, adopted }: Claim): Promise<void> {
    const { source, target, log } = this.#parts
    const lost = new AbortController()
    const signal = AbortSignal.any([this.#closing.signal, lost.signal])
    const heart = setInterval(() => void this.#renew(record, lost), renewal).unref()
    try {
      const keeping = { source, target, name: record.name, signal, patience: this.#patience }
      const outcome = adopted && record.place !== this.#place ? elsewhere : await (adopted ? settleBackup : keepBackup)(keeping)
      if (await log.finish(record, this.#now(), outcome)) await this.#afterwards(record, outcome)
      else await this.#abandon(record)
    } catch (error) {
      if (!signal.aborted) throw error
      if (lost.signal.aborted) await this.#abandon(record)
      else await this.#undo(record, adopted)
    } finally {
      clearInterval(heart)
    }
  }

  async #renew(record: BackupRecord, lost: AbortController): Promise<void> {
    const { log } = this.#parts
    // A database that is busy now may take the next sign of life.
    const renewed = await log.renew(record, new Date(this.#now().getTime() + lease)).catch(() => true)
    if (!renewed) lost.abort(new Error('Somebody else has taken this backup over.'))
  }

  async #afterwards(record: BackupRecord, { error, verified }: Outcome): Promise<void> {
    const { logger, log, keep } = this.#parts
    if (verified) logger.info(`The scheduled backup ${record.name} is kept and verified.`)
    else logger.error(`The scheduled backup ${record.name} failed.`, new Error(error ?? 'It was not verified.'))
    try {
      await removeOldest(log, this.#target, { keep, place: this.#place })
    } catch (failure) {
      if (!this.#closing.signal.aborted) logger.error('Old backups could not be removed.', failure)
    }
  }

  /** Somebody took it over, since this process was silent for too long: what was written since belongs to nobody, unless they found it whole. */
  async #abandon(record: BackupRecord): Promise<void> {
    const { log, logger } = this.#parts
    logger.warn(`The scheduled backup ${record.name} was taken over by another process.`)
    const now = (await log.newest(rememberedTakeovers)).find(({ id }) => id === record.id)
    if (now?.finished_at && now.bytes === null) await this.#target.remove(record.name)
  }

  /** The storage is being closed: the next one that opens it begins anew. */
  async #undo(record: BackupRecord, adopted: boolean): Promise<void> {
    // An adopted one may be whole: whoever comes next looks at it when the claim has lapsed.
    if (adopted) return
    const { log, target } = this.#parts
    const removed = Promise.resolve(target.remove(record.name)).catch(() => undefined)
    await Promise.race([removed, new Promise((resolve) => setTimeout(resolve, farewell).unref())])
    await log.forget([record.id])
  }
}

/** Tries behind which a taken one is looked for. */
const rememberedTakeovers = 100

const elsewhere: Outcome = { bytes: null, verified: null, error: 'The process that made it ended, and it was to be kept elsewhere.' }

/** A name that tells when, to the second: the first that nobody has. */
function freeName(now: Date, taken: ReadonlySet<string>): string {
  for (let second = now.getTime(); ; second += 1_000) {
    const name = `backup-${new Date(second).toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '')}.sqlite`
    if (!taken.has(name)) return name
  }
}
