import { join } from 'node:path'
import { tempFolder } from '@strongroom/testkit'
import type { CountingOptions } from '../counting.ts'
import type { Evidence } from '../evidence.ts'
import { seconds } from '../kills.ts'
import { type ServerProcess, startServer } from '../server-process.ts'
import { makeBackupFile } from './backup-file.ts'
import type { Content } from './content.ts'
import { NoteBook, writeNotes } from './note-writer.ts'
import { watchPlace } from './place.ts'
import { ReadLog, readOn } from './reader.ts'
import { restoreServer } from './restore-server.ts'
import { upload } from './upload.ts'

export interface RestoreCampaignOptions extends CountingOptions {
  /** Of the database that is restored. */
  readonly megabytes: number
  /** Processes that write beside the one that restores, which writes too; 3 unless said. */
  readonly otherProcesses?: number
}

/** Notes that are acknowledged between two restores, at least. */
const notesBetween = 40

/** Restores under writing processes: each acknowledged write is in a safety copy or in the new database, and no reader sees an error. */
export async function restoresCampaign(options: RestoreCampaignOptions): Promise<Evidence> {
  const { engine, url, rounds, seed, megabytes, otherProcesses = 3 } = options
  const started = performance.now()
  const folder = await tempFolder('restores')
  const servers: ServerProcess[] = []
  const run: Run = { book: new NoteBook(), reads: new ReadLog(), found: new FoundNotes(), done: 0 }
  try {
    const file = join(folder.path, 'base.sqlite')
    await makeBackupFile(file, 'base', megabytes)
    for (let number = 0; number <= otherProcesses; number++) servers.push(await startServer(url, { script: restoreServer }))
    await restoreUnderLoad(options, servers, file, run)
  } finally {
    for (const server of servers) await server.stop()
    await folder.remove()
  }
  const { book, reads, found, done } = run
  const faults = [...book.surprises, ...reads.faults, ...found.faultsAgainst(book)]
  if (engine === 'sqlite' && found.oldEpochs > 0) faults.push(`${found.oldEpochs} entries tell an epoch that was over`)
  const counts = {
    acknowledged: book.acknowledged.length,
    inSafetyCopies: found.inSafetyCopies(),
    refused: book.refused.length,
    reads: reads.reads,
    slowestRead: reads.slowest,
    entriesOfOldEpochs: found.oldEpochs,
  }
  return { campaign: 'restores', engine, seed, roundsAsked: rounds, roundsDone: done, counts, faults, duration: seconds(started) }
}

/** What comes of it. */
interface Run {
  readonly book: NoteBook
  readonly reads: ReadLog
  readonly found: FoundNotes
  done: number
}

async function restoreUnderLoad(
  { url, rounds, report }: RestoreCampaignOptions,
  servers: readonly ServerProcess[],
  file: string,
  run: Run,
): Promise<void> {
  const { book, reads, found } = run
  await restore(servers[0], file, 'restore-0')
  let running = true
  const stopped = (): boolean => !running || book.surprises.length > 0 || reads.faults.length > 0
  const clients = Promise.all([
    ...servers.map((server, number) => writeNotes(server.url, `w${number}`, book, stopped)),
    ...servers.slice(0, 2).map((server) => readOn(server.url, reads, stopped)),
  ])
  try {
    for (; run.done < rounds && !stopped(); run.done++) {
      const enough = book.acknowledged.length + notesBetween
      while (book.acknowledged.length < enough && !stopped()) await new Promise((resolve) => setTimeout(resolve, 5))
      const { safety_copy } = await restore(servers[0], file, `restore-${run.done + 1}`)
      found.add(await watchPlace(url).safetyContent(safety_copy), `restore-${run.done}`)
      const counts = `${book.acknowledged.length} acknowledged, ${book.refused.length} refused, ${reads.reads} reads`
      report?.(`restore ${run.done + 1}/${rounds}: ${counts}`)
    }
  } finally {
    running = false
    await clients
  }
  found.add(await watchPlace(url).content(), `restore-${run.done}`)
}

async function restore(server: ServerProcess | undefined, file: string, requestId: string): Promise<{ safety_copy: string }> {
  const answer = await upload(`${server?.url}/db/restore`, file, requestId)
  if (answer?.status !== 200) throw new Error(`${requestId} was answered ${answer?.status}: ${JSON.stringify(answer?.body)}`)
  return answer.body as { safety_copy: string }
}

/** The notes that are found in all safety copies and in the database. */
class FoundNotes {
  readonly #last = new Set<string>()
  readonly #all = new Set<string>()
  readonly #faults: string[] = []
  oldEpochs = 0

  /** Looks at a content that began with a restore. */
  add({ faults, notes, noteEntries, restores, oldEpochs }: Content, since: string): void {
    this.#faults.push(...faults)
    if (restores.join() !== since) this.#faults.push(`what began with ${since} tells of the restores ${restores.join()}`)
    if (notes.join() !== noteEntries.join()) this.#faults.push(`${notes.length} notes have ${noteEntries.length} entries`)
    this.oldEpochs += oldEpochs
    this.#last.clear()
    for (const name of notes) {
      if (this.#all.has(name)) this.#faults.push(`the note ${name} is there twice`)
      this.#all.add(name)
      this.#last.add(name)
    }
  }

  inSafetyCopies(): number {
    return this.#all.size - this.#last.size
  }

  faultsAgainst({ acknowledged, refused }: NoteBook): string[] {
    const lost = acknowledged.filter((name) => !this.#all.has(name))
    const kept = refused.filter((name) => this.#all.has(name))
    return [
      ...this.#faults,
      ...lost.map((name) => `the note ${name} was acknowledged, and is nowhere`),
      ...kept.map((name) => `the note ${name} was refused, and is there`),
      ...(this.inSafetyCopies() === 0 ? ['nothing was written before a restore, so it shows nothing'] : []),
    ]
  }
}
