import { readFlag, readParameters, restoreParameters, undoRestoreParameters } from '@strongroom/contract'
import { type RestoreReport, restoreReportToJson, type Storage } from '@strongroom/core'
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { type ActorOf, operatorOf } from '../actor.ts'
import { rawQuery, readQuery } from '../query.ts'
import { answerJson } from '../reply.ts'
import { requestIdOf } from '../request-id.ts'
import { uploadedFile } from '../upload/uploaded-file.ts'
import { type Operators, requireOperator } from './guard.ts'
import { guarded } from './guarded.ts'

/** Who may restore, in whose name, and how much. */
export interface RestoreSettings {
  readonly operators: Operators
  readonly actor: ActorOf | undefined
  /** Bytes that the file may have. */
  readonly uploadLimit: number
}

/** `POST /db/restore`: puts the uploaded file in the place of what the database holds. */
export function restoreDatabase(storage: Storage, { operators, actor, uploadLimit }: RestoreSettings): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    const flags = readRestoreFlags(request, restoreNames)
    const who = { actor: await operatorOf(request, actor), requestId: requestIdOf(request) }
    const file = uploadedFile(request.raw, uploadLimit)
    try {
      return sendReport(reply, await storage.restore(file, { ...flags, ...who, maxBytes: uploadLimit }))
    } finally {
      file.destroy()
    }
  }
}

/** `POST /db/restore/undo`: brings back what the last restore has replaced. */
export function undoRestore(storage: Storage, { operators, actor }: RestoreSettings): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    const { dryRun } = readRestoreFlags(request, undoNames)
    const who = { actor: await operatorOf(request, actor), requestId: requestIdOf(request) }
    return sendReport(reply, await storage.undoRestore({ dryRun, ...who }))
  }
}

// The contract lists exactly these; a test holds them together.
const restoreNames = restoreParameters.map(({ name }) => name)
const undoNames = undoRestoreParameters.map(({ name }) => name)

function readRestoreFlags(request: FastifyRequest, names: readonly string[]): { integrityCheck: boolean; dryRun: boolean } {
  return readQuery(() => {
    const given = readParameters(rawQuery(request), names)
    return {
      integrityCheck: readFlag('integrity_check', given.get('integrity_check') ?? 'true'),
      dryRun: readFlag('dry_run', given.get('dry_run')),
    }
  })
}

function sendReport(reply: FastifyReply, report: RestoreReport): string {
  return answerJson(guarded(reply), 200, restoreReportToJson(report), {
    message: report.restored ? 'Database restored' : 'Nothing was changed: a dry run',
  })
}
