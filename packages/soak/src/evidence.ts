import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What a campaign shows for itself. Fewer rounds done than asked means: not done. */
export interface Evidence {
  readonly campaign: string
  readonly engine: string
  readonly seed: number
  readonly roundsAsked: number
  readonly roundsDone: number
  readonly counts: Readonly<Record<string, number>>
  readonly faults: readonly string[]
  /** Seconds. */
  readonly duration: number
  /** What only this campaign has to show. */
  readonly details?: Readonly<Record<string, unknown>>
  /** Each engine's own, where a campaign runs on several and the above are the sums. */
  readonly runs?: readonly Evidence[]
}

/** Writes docs/evidence/<campaign>.json. */
export function writeEvidence(evidence: Evidence): void {
  const file = fileURLToPath(new URL(`../../../docs/evidence/${evidence.campaign}.json`, import.meta.url))
  mkdirSync(dirname(file), { recursive: true })
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', cwd: dirname(file) }).trim()
  writeFileSync(file, `${JSON.stringify({ commit, date: new Date().toISOString(), node: process.version, ...evidence }, null, 2)}\n`)
}
