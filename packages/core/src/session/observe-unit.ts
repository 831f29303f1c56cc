import { StrongroomError } from '../errors.ts'
import type { UnitContext } from './context.ts'
import { DryRunEnd } from './dry-run-end.ts'
import type { EndedUnit, StorageObserver } from './observer.ts'

/** Runs a unit, and tells the observer of it. `write` has to call what it is given whenever the unit's work begins. */
export async function observeUnit<T>(
  { around, unitEnded }: StorageObserver,
  { unitId }: UnitContext,
  write: (begun: () => void) => Promise<T>,
): Promise<T> {
  const start = performance.now()
  let began: number | undefined
  let tries = 0
  const begun = (): void => {
    began ??= performance.now()
    tries++
  }
  const tell = (outcome: EndedUnit['outcome'], code: string | null): void => {
    const end = performance.now()
    unitEnded?.({ wait: (began ?? end) - start, duration: end - start, tries, outcome, code })
  }
  const run = (): Promise<T | DryRunEnd> => write(begun).catch(keptDryRun)
  try {
    const ended = await (around ? around({ kind: 'transaction', name: 'transaction', component: null, id: unitId }, run) : run())
    if (ended instanceof DryRunEnd) throw ended
    tell('committed', null)
    return ended
  } catch (error) {
    if (error instanceof DryRunEnd) tell('dry_run', null)
    else tell('failed', error instanceof StrongroomError ? error.code : 'unknown')
    throw error
  }
}

/** A dry run's end is no failure: nobody is to see it as one. */
function keptDryRun(error: unknown): DryRunEnd {
  if (error instanceof DryRunEnd) return error
  throw error
}
