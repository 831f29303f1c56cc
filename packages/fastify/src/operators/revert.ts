import { readFlag, readParameters, revertParameters } from '@strongroom/contract'
import {
  mostReverted,
  type RevertChangesOptions,
  type RevertSelection,
  revertReportToJson,
  type Storage,
  ValidationError,
  type ValidationIssue,
} from '@strongroom/core'
import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { type ActorOf, operatorOf } from '../actor.ts'
import { bodyOf } from '../body.ts'
import { instantOf } from '../instant.ts'
import { idempotencyKey, onceKey } from '../once-key.ts'
import { rawQuery, readQuery } from '../query.ts'
import { isObject } from '../records/merge-patch.ts'
import { answerJson } from '../reply.ts'
import { requestIdOf } from '../request-id.ts'
import { ConflictsRefused } from './conflicts-refused.ts'
import { type Operators, requireOperator } from './guard.ts'
import { guarded } from './guarded.ts'

/** Who may undo changes, and in whose name. */
interface RevertSettings {
  readonly operators: Operators
  readonly actor: ActorOf | undefined
}

/** `POST /db/revert`: undoes what one request, batch, import or actor did. */
export function revertChanges(storage: Storage, { operators, actor }: RevertSettings): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    const dryRun = readDryRun(request)
    const who = { actor: await operatorOf(request, actor), requestId: requestIdOf(request) }
    const key = idempotencyKey(request)
    const { selection, how } = readQuestion(bodyOf(request))
    const report = await storage.revert(selection, {
      ...how,
      ...who,
      dryRun,
      ...(key !== undefined && { once: onceKey(request, key, who.actor) }),
    })
    // What stands against it is the answer to a rehearsal.
    if (!report.applied && !dryRun) throw new ConflictsRefused(report)
    if (report.replayed) reply.header('idempotent-replayed', 'true')
    return answerJson(guarded(reply), 200, revertReportToJson(report), {
      message: report.applied ? 'Undone' : 'Nothing was changed: a dry run',
    })
  }
}

// The contract lists exactly these; a test holds them together.
const parameterNames = revertParameters.map(({ name }) => name)

function readDryRun(request: FastifyRequest): boolean {
  return readQuery(() => readFlag('dry_run', readParameters(rawQuery(request), parameterNames).get('dry_run')))
}

interface Question {
  readonly selection: RevertSelection
  readonly how: RevertChangesOptions
}

const kinds = ['request_id', 'batch', 'import', 'actor'] as const
const members = [...kinds, 'since', 'until', 'conflicts', 'at_most']

/** Reads what is to be undone. Throws ValidationError that names everything that is wrong. */
function readQuestion(body: unknown): Question {
  if (!isObject(body)) throw new ValidationError('Say what is to be undone: { "request_id": "…" }, or { "actor": "…", "since": "…" }.')
  const { conflicts, at_most: atMost } = body
  const issues: ValidationIssue[] = []
  const need = (holds: boolean, path: string, message: string): void => {
    if (!holds) issues.push({ path, message })
  }
  for (const name of Object.keys(body)) need(members.includes(name), name, `is no part of a revert; there are ${members.join(', ')}`)
  const given = kinds.filter((kind) => body[kind] !== undefined)
  need(given.length === 1, '', `say what is to be undone by one of ${kinds.join(', ')}`)
  for (const kind of given) need(isText(body[kind]), kind, 'must be text')
  need(
    body['actor'] === undefined || body['since'] !== undefined,
    'since',
    'is required: since when are the changes of the actor to be undone?',
  )
  const [since, until] = (['since', 'until'] as const).map((name) => {
    const instant = instantOf(body[name])
    need(body[name] === undefined || instant !== undefined, name, 'must be an instant as in RFC 3339')
    return instant
  })
  need(conflicts === undefined || conflicts === 'refuse' || conflicts === 'skip', 'conflicts', 'must be refuse or skip')
  const isCount = Number.isInteger(atMost) && Number(atMost) >= 1 && Number(atMost) <= mostReverted
  need(atMost === undefined || isCount, 'at_most', `must be a whole number from 1 to ${mostReverted}`)
  if (issues.length > 0) throw new ValidationError(issues)
  const { request_id: requestId, batch, import: job, actor } = body
  // Every member was checked above.
  return {
    selection: { requestId, batch, import: job, actor, since, until } as RevertSelection,
    how: { conflicts, atMost } as RevertChangesOptions,
  }
}

/** No database stores NUL or half of a surrogate pair in text. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && !value.includes('\0') && value.isWellFormed()
}
