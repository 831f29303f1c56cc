import { existsSync, readFileSync } from 'node:fs'
import { deedNames } from './operators-bench.ts'
import { summarise, type Window } from './windows.ts'

interface EngineEvidence {
  readonly commit: string
  readonly databaseBytes: number
  /** Clients that write, and as many that read. */
  readonly clients: number
  readonly rounds: number
  readonly results: ReturnType<typeof summarise>
  readonly windows: readonly Window[]
}

/** What was found on each engine. A run measures one of them. */
export type OperatorsEvidence = Partial<Record<'sqlite' | 'postgres', EngineEvidence>>

/**
 * Joins the windows of a run with the evidence that is there: the other engine's stays, and so do earlier rounds of this one where `add` says
 * so and they are of the same commit. A round takes minutes, and a machine is seldom silent for all of them.
 */
export function joinEvidence(
  file: string,
  engine: 'sqlite' | 'postgres',
  run: Pick<EngineEvidence, 'commit' | 'databaseBytes' | 'clients' | 'windows'>,
  { add }: { readonly add: boolean },
): OperatorsEvidence {
  // This function wrote it.
  const found: OperatorsEvidence = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).engines : {}
  const before = found[engine]
  const earlier = add && before?.commit === run.commit ? before.windows : []
  const windows = [...earlier, ...run.windows]
  // A round may have been done in parts, a deed at a time.
  const rounds = Math.min(...deedNames.map((deed) => windows.filter(({ what }) => what === deed).length))
  return { ...found, [engine]: { ...run, rounds, results: summarise(windows), windows } }
}
