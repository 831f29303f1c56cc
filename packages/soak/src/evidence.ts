import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What a campaign shows for itself. Fewer rounds done than asked means: not done. */
export interface Evidence {
  readonly campaign: string
  readonly engine: string
  readonly seed: number
  /** Where it was done in parts, those of the earlier ones. */
  readonly earlierSeeds?: readonly number[]
  readonly roundsAsked: number
  readonly roundsDone: number
  readonly counts: Readonly<Record<string, number>>
  /** Counts of which none may be zero in the end: a campaign that never came by there shows nothing of it. */
  readonly neverZero?: readonly string[]
  readonly faults: readonly string[]
  /** Seconds. */
  readonly duration: number
  /** What only this campaign has to show. */
  readonly details?: Readonly<Record<string, unknown>>
  /** Each engine's own, where a campaign runs on several and the above are the sums. */
  readonly runs?: readonly Evidence[]
}

const fileOf = (campaign: string): string => fileURLToPath(new URL(`../../../docs/evidence/${campaign}.json`, import.meta.url))
const currentCommit = (): string => execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', cwd: import.meta.dirname }).trim()

/** Writes docs/evidence/<campaign>.json. */
export function writeEvidence(evidence: Evidence): void {
  const file = fileOf(evidence.campaign)
  mkdirSync(dirname(file), { recursive: true })
  const head = { commit: currentCommit(), date: new Date().toISOString(), node: process.version }
  writeFileSync(file, `${JSON.stringify({ ...head, ...evidence }, null, 2)}\n`)
}

/** What docs/evidence/<campaign>.json has, where that is of the commit that is checked out; else nothing. */
export function evidenceSoFar(campaign: string): Evidence | undefined {
  const file = fileOf(campaign)
  // `writeEvidence` wrote it.
  const found: (Evidence & { readonly commit: string }) | undefined = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
  return found?.commit === currentCommit() ? found : undefined
}
