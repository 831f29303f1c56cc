import { AsyncLocalStorage } from 'node:async_hooks'
import { StorageBusyError } from '../../errors.ts'
import type { EngineQueue } from '../engine.ts'
import { timeout } from './connection.ts'
import { busy, closed, isBusy, mapError } from './errors.ts'
import { Gathering } from './gathering.ts'
import type { Handle } from './handle.ts'
import { LaneMember, type LaneUnit } from './lane-member.ts'
import type { LargeTransaction } from './large-transaction.ts'
import { Queue } from './queue.ts'
import { TransactionControl } from './transaction-control.ts'

export interface WriteLaneOptions {
  /** Milliseconds that a unit waits for another process to let go of the database. */
  readonly busyWait: number
  /** Units that may wait. */
  readonly queueLimit: number
  /** Units that may share a commit. */
  readonly maxGroup: number
  /** Milliseconds after which a group admits nobody more, 20 by default: other work of the event loop waits meanwhile. */
  readonly longestAdmission?: number
  /** Milliseconds that a unit waits for others to join it, as those of the last commit mostly do; see `Gathering`. */
  readonly longestGathering?: number
  /** Called after each commit. */
  readonly afterCommit?: () => void
  /** How to open a connection in another thread, for large units. */
  readonly openElsewhere: () => Promise<LargeTransaction>
}

/** Milliseconds between two tries for the lock, at least and at random on top. */
const retryPause = { least: 5, jitter: 20 }

/** `setTimeout` fires at once for anything longer. */
const longestTimer = 2 ** 31 - 1

/**
 * The one place that writes. Units run in the order in which they came, one at a time; those that wait at the same
 * turn of the event loop share a commit, each in a savepoint, and hear nothing before it.
 */
export class WriteLane {
  readonly #handle: Handle
  readonly #options: WriteLaneOptions
  readonly #control: TransactionControl
  readonly #queue = new Queue<LaneMember>()
  readonly #gathering: Gathering
  /** The lane serves many callers: it runs in the context of the opening, not in that of whoever woke it. */
  readonly #outside = AsyncLocalStorage.snapshot()
  /** A turn is scheduled, runs, or waits for a unit or for the lock. */
  #awake = false
  #closed = false
  /** Those for whom nobody begins until all of them have let go. */
  #holders = 0
  /** Units run, or wait for something between their statements. */
  #running = false
  #whenFree: (() => void)[] = []
  #lockedSince: number | undefined
  /** The next try for the lock. */
  #retry: NodeJS.Timeout | undefined
  #whenIdle: (() => void)[] = []
  /** Resolves when the thread of the last large unit has let go of the database. */
  #leaving: Promise<void> = Promise.resolve()

  constructor(handle: Handle, options: WriteLaneOptions) {
    this.#handle = handle
    this.#options = options
    this.#control = new TransactionControl(handle)
    this.#gathering = new Gathering(options.longestGathering)
  }

  /** Runs a unit and answers after its commit. */
  write<T>(unit: LaneUnit<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closed())
    if (this.#queue.length >= this.#options.queueLimit) {
      return Promise.reject(new StorageBusyError('Too many writes are waiting. Nothing was written; try again.'))
    }
    return new Promise<T>((resolve, reject) => {
      // The member hands back what the unit answered, which is a T.
      this.#queue.push(new LaneMember(unit, resolve as (value: unknown) => void, reject))
      if (this.#awake) return
      this.#awake = true
      this.#outside(setImmediate, this.#turn)
    })
  }

  /**
   * Lets the units that run now end, and nobody begin until the answer is called. Those that wait for longer than they would for another
   * process are refused meanwhile.
   */
  async hold(): Promise<() => void> {
    this.#holders++
    if (this.#running) await new Promise<void>((resolve) => this.#whenFree.push(resolve))
    await this.#leaving
    return () => {
      this.#holders--
      if (this.#holders > 0 || !this.#retry) return
      clearTimeout(this.#retry)
      setImmediate(this.#turn)
    }
  }

  /** How many units run and wait now. */
  load(): EngineQueue {
    const first = this.#queue.peek()
    const longestWait = first ? performance.now() - first.enqueuedAt : 0
    return { running: Number(this.#running), waiting: this.#queue.length, longestWait }
  }

  /** Refuses new units and waits for those that are here. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#awake) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
    await this.#leaving
  }

  readonly #turn = (): void => {
    this.#retry = undefined
    const first = this.#queue.peek()
    if (!first) return
    const { unit, again, enqueuedAt: since } = first
    const solo = unit.alone || unit.large || again
    if (!solo && this.#gathering.goesOn({ waiting: this.#queue.length, since })) return void setImmediate(this.#turn)
    if (!this.#begin(first)) return
    this.#running = true
    if (unit.large) void this.#runElsewhere(first)
    else if (solo || this.#queue.length === 1) this.#runSolo(first)
    else this.#runGroup()
  }

  #next(): void {
    this.#running = false
    this.#control.foreignKeysOn()
    for (const resolve of this.#whenFree.splice(0)) resolve()
    if (this.#queue.length > 0) {
      setImmediate(this.#turn)
      return
    }
    this.#awake = false
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }

  #begin(first: LaneMember): boolean {
    if (this.#holders > 0) {
      this.#waitForLock(new Error('The database is being restored, or its log brought into the file.'))
      return false
    }
    try {
      if (first.unit.large) this.#control.rollBack()
      else this.#control.begin({ foreignKeys: first.unit.changesTables !== true, inMemory: first.unit.defines !== true })
      this.#lockedSince = undefined
      return true
    } catch (error) {
      if (isBusy(error)) {
        this.#waitForLock(error)
      } else {
        this.#queue.shift()?.reject(mapError(error))
        this.#next()
      }
      return false
    }
  }

  #waitForLock(error: unknown): void {
    const now = performance.now()
    this.#lockedSince ??= now
    const since = this.#lockedSince
    const waitIsOver = (member: LaneMember) => now - Math.max(member.enqueuedAt, since) >= this.#options.busyWait
    for (const member of this.#queue.take(waitIsOver)) member.reject(busy(error))
    if (this.#queue.length === 0) this.#next()
    else this.#retry = setTimeout(this.#turn, retryPause.least + Math.random() * retryPause.jitter)
  }

  /** Other units wait, as for any; this thread does not. */
  async #runElsewhere(member: LaneMember): Promise<void> {
    this.#queue.shift()
    try {
      await this.#leaving
      const transaction = await this.#options.openElsewhere()
      this.#leaving = transaction.ended
      member.finish(false, await transaction.run(member.unit.run, this.#options.busyWait))
    } catch (error) {
      member.finish(true, error)
    }
    member.settle()
    this.#tidyUp()
  }

  #runSolo(member: LaneMember): void {
    this.#queue.shift()
    const pending = member.start(this.#handle)
    if (pending) this.#waitFor(member, pending, () => this.#endSolo(member))
    else this.#endSolo(member)
  }

  #endSolo(member: LaneMember): void {
    if (!member.failed) {
      this.#commit([member])
      return
    }
    this.#control.rollBack()
    member.settle()
    this.#next()
  }

  #runGroup(): void {
    const group: LaneMember[] = []
    const admissionEnds = performance.now() + (this.#options.longestAdmission ?? 20)
    while (group.length < this.#options.maxGroup) {
      const member = this.#queue.peek()
      if (!member || member.unit.alone) break
      this.#queue.shift()
      const pending = this.#startMember(member)
      if (pending) {
        this.#waitFor(member, pending, () => this.#endGroup(group, member))
        return
      }
      if (!this.#endMember(member)) {
        this.#loseTransaction(group, member)
        return
      }
      group.push(member)
      if (performance.now() > admissionEnds) break
    }
    this.#commit(group)
  }

  /** A member that fails before it changes anything leaves nothing to be undone: to open a savepoint for it, and have SQLite keep the pages, costs as much as its record. */
  #startMember(member: LaneMember): PromiseLike<unknown> | undefined {
    if (member.unit.failsEarly) return member.start(this.#handle)
    try {
      this.#control.openSavepoint()
    } catch (error) {
      member.finish(true, mapError(error))
      return undefined
    }
    return member.start(this.#handle)
  }

  /** Ends a group whose last member had to wait; nobody was admitted meanwhile. */
  #endGroup(group: LaneMember[], last: LaneMember): void {
    if (this.#endMember(last)) this.#commit([...group, last])
    else this.#loseTransaction(group, last)
  }

  /** Keeps or undoes what a member did. False when that is not to be had without the others. */
  #endMember(member: LaneMember): boolean {
    if (member.failed && !this.#control.inTransaction) return false
    if (member.unit.failsEarly) return !(member.failed && member.wrote)
    try {
      if (member.failed) this.#control.dropSavepoint()
      else this.#control.keepSavepoint()
      return true
    } catch (error) {
      if (!member.failed) member.finish(true, mapError(error))
      return false
    }
  }

  /** The culprit gets its error. What the others did is undone with it: they are called once more, each by itself. */
  #loseTransaction(earlier: LaneMember[], culprit: LaneMember): void {
    // Its error may rest on what the others did: so is one that changed something and failed, where there is a transaction still.
    const lost = culprit.unit.failsEarly && this.#control.inTransaction ? [...earlier, culprit] : earlier
    this.#control.rollBack()
    if (lost === earlier) culprit.settle()
    this.#repeat(lost)
  }

  /** Has each run once more, by itself. */
  #repeat(members: LaneMember[]): void {
    for (const member of members) member.again = true
    this.#queue.unshift(members)
    this.#next()
  }

  /** False when what they put off until the commit was refused. On whose account is seen when each is by itself. */
  #settle(members: LaneMember[]): boolean {
    try {
      this.#control.settle()
      return true
    } catch (error) {
      this.#control.rollBack()
      if (members.length > 1) {
        this.#repeat(members)
        return false
      }
      for (const member of members) member.reject(mapError(error))
      this.#next()
      return false
    }
  }

  #commit(members: LaneMember[]): void {
    if (!this.#settle(members)) return
    try {
      this.#control.commit()
      this.#gathering.answered(members.length)
      for (const member of members) member.settle()
    } catch (error) {
      this.#control.rollBack()
      const failure = mapError(error)
      for (const member of members) member.reject(failure)
    }
    this.#tidyUp()
  }

  #tidyUp(): void {
    this.#options.afterCommit?.()
    this.#next()
  }

  #waitFor(member: LaneMember, pending: PromiseLike<unknown>, then: () => void): void {
    let timer: NodeJS.Timeout | undefined
    const finish = (failed: boolean, value: unknown): void => {
      if (member.finished) return
      clearTimeout(timer)
      member.finish(failed, value)
      then()
    }
    // Another maker's promise might call back at once.
    Promise.resolve(pending).then(
      (value) => finish(false, value),
      (error: unknown) => finish(true, error),
    )
    if (member.timeLeft <= longestTimer) timer = setTimeout(() => finish(true, timeout()), member.timeLeft)
  }
}
