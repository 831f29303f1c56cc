import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Storage } from '@strongroom/core'
import type { RouteHandlerMethod } from 'fastify'
import { readFlags } from '../query.ts'
import { announceFile, goneSignal } from './download.ts'
import type { Downloads } from './downloads.ts'
import { type Operators, requireOperator } from './guard.ts'

/** `GET /db/backup.sqlite`: everything as one file, which is made and checked first, so that its length is known. */
export function downloadBackup(storage: Storage, operators: Operators, downloads: Downloads): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    readFlags(request, [])
    if (request.method === 'HEAD') return announceFile(reply, 'application/x-sqlite3', 'backup', 'sqlite').send()
    downloads.begin(reply)
    const folder = await mkdtemp(join(tmpdir(), 'strongroom-'))
    // A thread that was ended may still be putting its last file there.
    const remove = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 5 })
    try {
      const path = join(folder, 'backup.sqlite')
      const { bytes } = await storage.backup(path, { signal: goneSignal(reply) })
      const file = createReadStream(path).once('close', () => {
        remove().catch((error) => request.log.error({ err: error }, 'the file of a backup was not removed'))
      })
      return announceFile(reply, 'application/x-sqlite3', 'backup', 'sqlite').header('content-length', bytes).send(file)
    } catch (error) {
      await remove()
      throw error
    }
  }
}
