import { setTimeout as pause } from 'node:timers/promises'
import { StorageUnavailableError, TransactionTimeoutError } from '../../errors.ts'
import type { Awaitable, Connection, Reach, Unit } from '../engine.ts'
import type { Client } from './client.ts'
import { UnitConnection } from './connection.ts'
import { isConflict, isOfStandby } from './errors.ts'
import type { ClientPool } from './pool.ts'
import { limitsWithin, type SessionLimits } from './session-setup.ts'

export interface UnitOptions {
  readonly pool: ClientPool
  /** How often a unit that lost against others is run again. */
  readonly retries: number
  readonly limits: SessionLimits
}

/** What has to be done in one transaction, whoever asks for it. */
interface Work<T> {
  readonly run: (connection: UnitConnection) => Awaitable<T>
  /** Milliseconds; may be infinite. */
  readonly timeLimit: number
  /** Undefined where no table holds its rows to tenants. */
  readonly reach: Reach | undefined
  readonly retries: number
  /** Said with BEGIN. */
  readonly limits: string
}

/** How one attempt at a unit ended. */
type Outcome<T> =
  | { readonly done: true; readonly value: T }
  | { readonly done: false; readonly error: unknown; readonly again: 'no' | 'now' | 'later' }

/** Milliseconds: the longest pause before the second attempt; it doubles for each one after that. */
const firstPause = 10

/** Milliseconds for a commit to be answered, at least: giving up on one leaves its outcome unknown. */
const commitWait = 10_000

/** The longest time that a timer can be set to, in milliseconds. */
const endOfTime = 2 ** 31 - 1

/** Runs a unit of work until it is committed, has failed by itself, or has lost against others too often. */
export function runUnit<T>({ pool, retries, limits }: UnitOptions, { run, timeLimit }: Unit<T>, reach: Reach | undefined): Promise<T> {
  return runWork(pool, { run, timeLimit, reach, retries, limits: limitsWithin(limits, timeLimit) })
}

/** Runs changes to tables, and to the rows of every tenant: they wait for others as long as it takes, and are tried once. */
export function runDefinition<T>({ pool, limits }: Omit<UnitOptions, 'retries'>, run: (connection: Connection) => Promise<T>): Promise<T> {
  const endless = Number.POSITIVE_INFINITY
  return runWork(pool, { run, timeLimit: endless, reach: 'every', retries: 0, limits: limitsWithin(limits, endless) })
}

async function runWork<T>(pool: ClientPool, work: Work<T>): Promise<T> {
  let deadline: number | undefined
  for (let lost = 0; ; ) {
    const client = await pool.acquire()
    deadline ??= performance.now() + work.timeLimit
    const outcome = await attempt(pool, work, client, deadline).finally(() => pool.release(client))
    if (outcome.done) return outcome.value
    if (outcome.again === 'later') lost++
    const wait = outcome.again === 'later' ? Math.random() * firstPause * 2 ** (lost - 1) : 0
    if (outcome.again === 'no' || lost > work.retries || performance.now() + wait >= deadline) throw outcome.error
    if (wait > 0) await pause(wait)
  }
}

async function attempt<T>(pool: ClientPool, work: Work<T>, client: Client, deadline: number): Promise<Outcome<T>> {
  const connection = new UnitConnection(client, work)
  const limit = timeLimit(deadline, connection, client)
  try {
    const value = await Promise.race([runWithin(work, connection), limit.passed])
    connection.finish()
    limit.clear()
    if (connection.doom) throw connection.doom
    await commit(connection, client, work.timeLimit)
    return { done: true, value }
  } catch (error) {
    connection.finish()
    if (limit.isOver()) client.cancel()
    await connection.rollback()
    return failed(pool, connection, client, error)
  } finally {
    limit.clear()
  }
}

/** Turns a throw of code that does not wait into a rejection. */
async function runWithin<T>(work: Work<T>, connection: UnitConnection): Promise<T> {
  return await work.run(connection)
}

async function commit(connection: UnitConnection, client: Client, limit: number): Promise<void> {
  const timer = setTimeout(() => client.giveUp(), Math.min(Math.max(limit, commitWait), endOfTime))
  try {
    await connection.commit()
  } finally {
    clearTimeout(timer)
  }
}

function failed(pool: ClientPool, connection: UnitConnection, client: Client, thrown: unknown): Outcome<never> {
  // the unit's code may have wrapped or swallowed what ended it
  const error = thrown instanceof TransactionTimeoutError ? thrown : (connection.doom ?? thrown)
  if (error instanceof StorageUnavailableError && error.code === 'commit_unknown') return { done: false, error, again: 'no' }
  if (isConflict(error)) return { done: false, error, again: 'later' }
  if (isOfStandby(error) && pool.passesStandbys) {
    pool.renew(client)
    return { done: false, error, again: 'later' }
  }
  // a connection that died after an answer did not die in the pool
  const replaced = !(client.dead && connection.answered) && pool.replaced(client, error)
  return { done: false, error, again: replaced ? 'now' : 'no' }
}

interface TimeLimit {
  readonly passed: Promise<never>
  isOver(): boolean
  clear(): void
}

function timeLimit(deadline: number, connection: UnitConnection, client: Client): TimeLimit {
  let over = false
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<never>((_resolve, reject) => {
    const end = (): void => {
      if (connection.concluded) {
        // The COMMIT is on its way: the server is asked to stop, and tells whether it did.
        client.cancel()
        timer = setTimeout(() => client.giveUp(), commitWait)
        return
      }
      over = true
      reject(new TransactionTimeoutError('The transaction took longer than its time limit and was rolled back.'))
    }
    const left = Math.max(0, deadline - performance.now())
    if (left < endOfTime) timer = setTimeout(end, left)
  })
  return { passed, isOver: () => over, clear: () => clearTimeout(timer) }
}
