import type { BackupReport, Storage } from '@strongroom/core'
import type { RouteHandlerMethod } from 'fastify'
import { readFlags } from '../query.ts'
import { answerHead } from '../reply.ts'
import { announceFile, goneSignal } from './download.ts'
import { DownloadStream } from './download-stream.ts'
import type { Downloads } from './downloads.ts'
import { type Operators, requireOperator } from './guard.ts'

/** `GET /db/backup.sqlite`: everything as one file, which is made and checked first, so that its length is known. */
export function downloadBackup(storage: Storage, operators: Operators, downloads: Downloads): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    readFlags(request, [])
    if (request.method === 'HEAD') return answerHead(announceFile(reply, 'application/x-sqlite3', 'backup', 'sqlite'))
    downloads.begin(reply)
    const file = new DownloadStream(reply.raw)
    const ready = Promise.withResolvers<BackupReport>()
    storage.backup(file, { signal: goneSignal(reply), onReady: ready.resolve }).catch((error) => {
      ready.reject(error)
      // Nobody listens to it before it is sent.
      file.on('error', () => undefined).destroy(error)
    })
    const { bytes } = await ready.promise
    return announceFile(reply, 'application/x-sqlite3', 'backup', 'sqlite').header('content-length', bytes).send(file)
  }
}
