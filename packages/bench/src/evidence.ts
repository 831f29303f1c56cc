import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Keeps what a bench has found, with when and where it ran. Answers the file's name. */
export function writeEvidence(name: string, started: number, found: object): string {
  const file = evidenceFile(name)
  mkdirSync(join(file, '..'), { recursive: true })
  const evidence = {
    commit: commit(),
    date: new Date(started).toISOString(),
    node: process.version,
    processors: cpus().length,
    ...found,
    seconds: Math.round((Date.now() - started) / 1000),
  }
  writeFileSync(file, `${JSON.stringify(evidence, null, 2)}\n`)
  return file
}

/** What an earlier run has written; undefined where there was none. */
export function readEvidence(name: string): unknown {
  const file = evidenceFile(name)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

export function evidenceFile(name: string, extension = 'json'): string {
  return fileURLToPath(new URL(`../../../docs/evidence/${name}.${extension}`, import.meta.url))
}

export function commit(): string {
  return execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim()
}
