import { StorageUnavailableError } from '../../errors.ts'
import { ConstraintViolation, type LastStatement } from '../engine.ts'
import { endsConnection, sqlState } from './errors.ts'

/** Whether the server has refused one of the last statements, or the COMMIT behind them: then it has taken all of them back. */
export function isRefused(answers: readonly PromiseSettledResult<unknown>[], isAlone: boolean): boolean {
  return answers.some((answer, index) => {
    if (answer.status === 'fulfilled') return false
    // Whoever ends a session may have committed just before. A statement with a COMMIT behind it was not committed.
    if (endsConnection(answer.reason)) return !isAlone && index < answers.length - 1
    return !(answer.reason instanceof StorageUnavailableError && sqlState(answer.reason) === undefined)
  })
}

/** The same statement, which fails where it changes fewer rows: what follows it is on its way already, and so is the COMMIT. */
export function changing(sql: string, rows: number): string {
  return `WITH "~changed" AS (${sql} RETURNING 1) SELECT 1 / (count(*) / ${rows}) FROM "~changed"`
}

const divisionByZero = '22012'

/** Throws what a statement of `changing` was refused for. */
export function refuseSkipped(error: unknown): never {
  throw sqlState(error) === divisionByZero ? new ConstraintViolation('skipped', { cause: error }) : error
}

/** The driver writes objects as JSON, which can fail: a statement that it cannot send would be missing among the others. */
export function assertBindable(statements: readonly LastStatement[]): void {
  const isBindable = (value: unknown): boolean => typeof value !== 'object' || value === null || value instanceof Uint8Array
  if (!statements.every(({ parameters }) => parameters.every(isBindable))) throw new Error("a parameter is not in the engine's own form")
}
