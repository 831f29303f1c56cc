import { importParameters, readFlag, readParameters } from '@strongroom/contract'
import {
  ConflictError,
  type ImportJob,
  type ImportJobOptions,
  InvalidQueryError,
  importReportToJson,
  type Storage,
  StrongroomError,
  ValidationError,
} from '@strongroom/core'
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { operatorOf } from '../actor.ts'
import { rawQuery, readQuery } from '../query.ts'
import { answerJson, exposeHeaders } from '../reply.ts'
import { requestIdOf } from '../request-id.ts'
import { receiveImport } from '../upload/receive-import.ts'
import { requireOperator } from './guard.ts'
import { guarded } from './guarded.ts'
import { sendJob } from './jobs.ts'
import { preferredWait } from './prefer.ts'
import type { RestoreSettings } from './restore.ts'
import { RowsRefused } from './rows-refused.ts'

/** `POST /db/import`: imports the uploaded files as a job, whose end is waited for a little. */
export function importFiles(
  storage: Storage,
  { operators, actor, uploadLimit }: RestoreSettings,
  closing: AbortSignal,
): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    const { table, ...options } = readImportQuery(request)
    const wait = preferredWait(request)
    const who = { actor: await operatorOf(request, actor), requestId: requestIdOf(request) }
    const upload = receiveImport(request.raw, { storage, limit: uploadLimit, table })
    const { id } = await storage.startImport(upload, { ...options, ...who })
    // A job stays what it was started as.
    const job = (await storage.jobs.wait(id, { timeout: wait, signal: closing })) as ImportJob
    return answer(request, reply, job)
  }
}

function answer(request: FastifyRequest, reply: FastifyReply, job: ImportJob): string {
  const { state, result, error } = job
  if (state === 'running') {
    exposeHeaders(reply, 'Location, X-Request-Id')
    reply.header('location', `${placeOf(request)}/jobs/${job.id}`)
    return sendJob(reply, 202, job, 'The import goes on as a job')
  }
  if (error) {
    if (result) throw new RowsRefused(error.message, result)
    if (error.code === 'validation_failed') throw new ValidationError(error.message)
    throw new StrongroomError(error.code, error.message, retryOf(error.code))
  }
  if (!result) throw new ConflictError('state_conflict', 'The import was cancelled. Nothing was written.')
  const message = result.applied ? 'Rows imported' : 'Nothing was changed: a dry run'
  return answerJson(guarded(reply), 200, importReportToJson(result), { message })
}

/** Seconds; a job remembers what went wrong, and not when it is worth another try. */
const soon = 5

function retryOf(code: StrongroomError['code']): { readonly retryAfter?: number } {
  return code.startsWith('storage_') && code !== 'storage_full' ? { retryAfter: soon } : {}
}

/** The path of the operators' routes, as the request wrote it. */
function placeOf(request: FastifyRequest): string {
  return (request.originalUrl.split('?', 1)[0] ?? '').replace(/\/import\/?$/, '')
}

// The contract lists exactly these; a test holds them together.
const parameterNames = importParameters.map(({ name }) => name) as ('mode' | 'dry_run' | 'table')[]

function readImportQuery(request: FastifyRequest): Required<Pick<ImportJobOptions, 'mode' | 'dryRun'>> & { table: string | undefined } {
  return readQuery(() => {
    const given = readParameters(rawQuery(request), parameterNames)
    const mode = given.get('mode') ?? 'insert'
    if (mode !== 'insert' && mode !== 'upsert') throw new InvalidQueryError('mode is insert or upsert.')
    return { mode, dryRun: readFlag('dry_run', given.get('dry_run')), table: given.get('table') }
  })
}
