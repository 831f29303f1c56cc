import { createReadStream, statSync } from 'node:fs'
import { request } from 'node:http'
import type { Answer } from '../exchange.ts'

/** Milliseconds of silence after which nobody waits for an answer any longer. */
const patience = 120_000

/** Uploads a file to a path of the operators; undefined when the connection was cut before its answer was whole. */
export function upload(url: string, file: string, requestId: string): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const headers = {
      'content-type': 'application/x-sqlite3',
      'content-length': statSync(file).size,
      'x-request-id': requestId,
      'x-user': 'campaign',
    }
    const outgoing = request(url, { method: 'POST', headers, timeout: patience }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', () => resolve(undefined))
      incoming.on('close', () => {
        if (!incoming.complete) return resolve(undefined)
        const body = JSON.parse(Buffer.concat(chunks).toString()) as unknown
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body })
      })
    })
    const source = createReadStream(file)
    outgoing.on('timeout', () => outgoing.destroy())
    // A server may answer before it has read all, and be gone.
    outgoing.on('error', () => resolve(undefined))
    outgoing.on('close', () => source.destroy())
    source.pipe(outgoing)
  })
}
