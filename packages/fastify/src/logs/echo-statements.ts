import type { StatementListener } from '@strongroom/core'
import type { FastifyBaseLogger } from 'fastify'

/** Logs every statement, its parameters masked, and passes it on. */
export function echoStatements(log: FastifyBaseLogger, next: StatementListener | undefined): StatementListener {
  return (statement) => {
    const { sql, duration, failed, parameters } = statement
    log.debug({ sql, parameter_kinds: parameters, duration_ms: Number(duration.toFixed(3)), ...(failed && { failed }) }, 'sql')
    next?.(statement)
  }
}
