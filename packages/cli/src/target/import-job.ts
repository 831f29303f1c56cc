import { setTimeout as pause } from 'node:timers/promises'
import { errorCatalogue } from '@strongroom/contract'
import { Fault, Unreachable } from '../faults.ts'
import { asRecord } from '../http/read-fault.ts'
import type { Server } from '../http/server.ts'
import type { Document, Watch } from './target.ts'

/** Milliseconds between two looks at a job, the first and the longest. */
const interval = { first: 100, longest: 2_000 }
/** Looks at a job that may fail one after the other: a server may start anew meanwhile. */
const mostFailures = 10
/** Milliseconds for telling a server that a job is not wanted any more. */
const cancelTime = 10_000

/** Waits for the end of an import that a server goes on with, and answers its report. Whoever ends the waiting ends the import. */
export async function awaitImport(server: Server, id: string, watch: Watch): Promise<Document> {
  const path = `/db/jobs/${encodeURIComponent(id)}`
  try {
    for (let wait = interval.first, failures = 0; ; wait = Math.min(wait * 1.5, interval.longest)) {
      try {
        const job = asRecord(await server.json(await server.ask({ path }, watch)))
        if (job['state'] !== 'running') return reportOf(job)
        failures = 0
        const { phase, rows } = asRecord(job['progress'])
        if (phase !== undefined) watch.progress.say(`${phase} row ${Number(rows).toLocaleString('en-US')}`)
      } catch (error) {
        if (!(error instanceof Unreachable) || watch.signal.aborted) throw error
        if (++failures > mostFailures)
          throw new Unreachable(`${error.message} The import may go on there, as the job ${id}.`, { cause: error })
      }
      await pause(wait, undefined, { signal: watch.signal })
    }
  } catch (error) {
    if (watch.signal.aborted) await cancel(server, path, watch)
    throw error
  }
}

function reportOf(job: Document): Document {
  const result = asRecord(job['result'])
  if (job['state'] === 'done' || Number(result['error_count']) > 0) return result
  const { code, message } = asRecord(job['error'])
  if (job['state'] === 'cancelled' && message === undefined)
    throw new Fault('Somebody cancelled the import. Nothing was written.', { status: 0 })
  // The code is one of the catalogue, or of a newer one.
  const status = errorCatalogue[code as keyof typeof errorCatalogue]?.status ?? 500
  throw new Fault(String(message ?? 'The import failed.'), { code: String(code ?? ''), status })
}

/** Whether that was heard or not: whoever ended this does not wait for more. */
async function cancel(server: Server, path: string, { progress }: Watch): Promise<void> {
  const signal = AbortSignal.timeout(cancelTime)
  await server.ask({ method: 'DELETE', path }, { signal, progress }).catch(() => undefined)
}
