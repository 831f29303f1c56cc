import { dirname } from 'node:path'
import { UsageError } from '../errors.ts'
import { unitContext } from '../session/options.ts'
import { withWorkFile } from '../transfer/files.ts'
import { abandonSource, type ImportSource } from '../transfer/import/files-of.ts'
import { checkImport, type ImportOptions, type ImportTarget, importFrom } from '../transfer/import/import.ts'
import type { ImportJob } from './job.ts'
import type { Jobs } from './jobs.ts'
import { imports } from './kinds.ts'

/** How rows are imported by a job. */
export type ImportJobOptions = Pick<ImportOptions, 'mode' | 'dryRun' | 'actor' | 'requestId'>

/** Puts files into a private folder, and says what to import. The folder is gone when the job has ended, or could not be started. */
export type ImportReceiver = (folder: string) => Promise<ImportSource>

/** Starts an import that goes on by itself. */
export async function startImport(
  jobs: Jobs,
  target: ImportTarget,
  source: ImportSource | ImportReceiver,
  options: ImportJobOptions,
): Promise<ImportJob> {
  const begin = (files: ImportSource, onEnd?: () => Promise<void>): ImportJob => {
    try {
      const { actor, requestId } = checked(target, files, options)
      // The job is of the kind that it is started as.
      return jobs.start({
        kind: imports,
        actor,
        requestId,
        onEnd,
        work: ({ signal, onProgress, record }) => importFrom(target, files, { ...options, signal, onProgress }, { record }),
      }) as ImportJob
    } catch (error) {
      if (typeof files === 'object' && files !== null) abandonSource(files)
      throw error
    }
  }
  const job = typeof source === 'function' ? await receive(source, begin) : begin(source)
  // Its id may be asked for at once, and somewhere else.
  await jobs.whenFound(job.id)
  return job
}

/** The job begins when all files are there, and its end waits for their removal. */
async function receive(source: ImportReceiver, begin: (files: ImportSource, onEnd: () => Promise<void>) => ImportJob): Promise<ImportJob> {
  const begun = Promise.withResolvers<ImportJob>()
  const ended = Promise.withResolvers<void>()
  const removed = withWorkFile(async (path) => {
    const files = await source(dirname(path))
    const onEnd = (): Promise<void> => {
      ended.resolve()
      return removed
    }
    begun.resolve(begin(files, onEnd))
    await ended.promise
  })
  removed.catch(begun.reject)
  return begun.promise
}

function checked(
  target: ImportTarget,
  source: ImportSource,
  options: ImportJobOptions,
): { readonly actor: string; readonly requestId: string | null } {
  const theirs = ['signal', 'onProgress'].find((name) => name in options)
  if (theirs !== undefined) {
    throw new UsageError('invalid_options', `"${theirs}" is no option of startImport: storage.jobs tells of it and cancels it.`)
  }
  checkImport(target, source, options)
  return unitContext(options, undefined)
}
