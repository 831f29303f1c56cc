import { openTarget } from '../target/open-target.ts'
import type { Target, Watch } from '../target/target.ts'
import type { Job } from './command.ts'

/** Works on a target, and lets go of it. */
export async function withTarget<T>(job: Job, said: string | undefined, work: (target: Target, watch: Watch) => Promise<T>): Promise<T> {
  const target = await openTarget(said, job.given, job.surroundings)
  try {
    return await work(target, { signal: job.surroundings.signal, progress: job.progress })
  } finally {
    await target.close()
  }
}
