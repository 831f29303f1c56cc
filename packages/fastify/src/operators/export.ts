import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { exportParameters, readFlag, readParameters } from '@strongroom/contract'
import { type ExportOptions, ForbiddenError, InvalidQueryError, type Storage } from '@strongroom/core'
import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { rawQuery, readQuery } from '../query.ts'
import { answerHead } from '../reply.ts'
import { announceFile, goneSignal } from './download.ts'
import { DownloadStream } from './download-stream.ts'
import type { Downloads } from './downloads.ts'
import { isOfOneTenant, type Operators, requireOperator } from './guard.ts'

/** `GET /db/export.zip`: every table as CSV. What fails before the first byte is a problem; later, the connection is cut. */
export function exportTables(storage: Storage, operators: Operators, downloads: Downloads): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    const options = readExportQuery(request)
    if (options.secrets === 'include' && isOfOneTenant(request))
      throw new ForbiddenError('Secrets are for those who work for all tenants. Leave secrets out.')
    if (request.method === 'HEAD') {
      await checkExport(storage, options)
      return answerHead(announceFile(reply, 'application/zip', 'export', 'zip'))
    }
    downloads.begin(reply)
    const bytes = new DownloadStream(reply.raw)
    storage.export(bytes, { ...options, signal: goneSignal(reply) }).catch((error) => bytes.destroy(error))
    await once(bytes, 'readable')
    return announceFile(reply, 'application/zip', 'export', 'zip').send(bytes)
  }
}

/** Refuses what cannot be exported. Options are looked at before the signal is. */
async function checkExport(storage: Storage, options: ExportOptions): Promise<void> {
  const enough = AbortSignal.abort()
  await storage.export(new PassThrough(), { ...options, signal: enough }).catch((error) => {
    if (error !== enough.reason) throw error
  })
}

// The contract lists exactly these; a test holds them together.
const parameterNames = exportParameters.map(({ name }) => name) as ('tables' | 'spreadsheet' | 'secrets')[]

function readExportQuery(request: FastifyRequest): ExportOptions {
  return readQuery(() => {
    const given = readParameters(rawQuery(request), parameterNames)
    const secrets = given.get('secrets') ?? 'mask'
    if (secrets !== 'mask' && secrets !== 'include') throw new InvalidQueryError('secrets is mask or include.')
    return {
      tables: given
        .get('tables')
        ?.split(',')
        .filter((name) => name !== ''),
      spreadsheet: readFlag('spreadsheet', given.get('spreadsheet')),
      secrets,
    }
  })
}
