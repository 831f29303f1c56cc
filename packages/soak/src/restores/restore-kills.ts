import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type EngineName, engineNames, type TempFolder, tempFolder } from '@strongroom/testkit'
import type { Evidence } from '../evidence.ts'
import { seconds } from '../kills.ts'
import { seededRandom } from '../random.ts'
import { promisedReady, type ServerProcess, startServer } from '../server-process.ts'
import { makeBackupFile } from './backup-file.ts'
import { type Content, readContent } from './content.ts'
import { bounds, Heard, type KillMoment, momentsOf } from './kill-plan.ts'
import { NoteBook, writeNotes } from './note-writer.ts'
import { type WatchedPlace, watchPlace } from './place.ts'
import { restoreServer } from './restore-server.ts'
import type { RestoreCampaignOptions } from './restores.ts'
import { upload } from './upload.ts'

/** The two contents that take turns. */
interface Sides {
  readonly a: Content
  readonly b: Content
}

/** `kill -9` at random moments of restores: a fresh process finds the old or the new database, whole, and nothing is left lying about. */
export async function restoreKillsCampaign(options: RestoreCampaignOptions): Promise<Evidence> {
  const { engine, rounds, seed, report = () => undefined } = options
  const started = performance.now()
  const folder = await tempFolder('restore-kills')
  const run = new KillRun(options, folder)
  try {
    await run.begin()
    for (; run.done < rounds; run.done++) {
      await run.round()
      report(`kill ${run.done + 1}/${rounds}: ${run.story}, ${run.faults.length} faults so far`)
    }
  } finally {
    await run.end()
    await folder.remove()
  }
  const { done, counts, faults, killedAt, diedAt, slowest } = run
  const named = (numbers: Readonly<Record<string, number>>, deed: string) =>
    Object.fromEntries(Object.entries(numbers).map(([moment, number]) => [`${deed} after ${moment}`, number]))
  const neverZero = momentsOf[run.engine].map((moment) => `killed after ${moment}`)
  const evidence = { campaign: 'restore-kills', engine, seed, roundsAsked: rounds, roundsDone: done, faults, duration: seconds(started) }
  return { ...evidence, counts: { ...counts, ...slowest, ...named(killedAt, 'killed'), ...named(diedAt, 'died') }, neverZero }
}

class KillRun {
  readonly engine: EngineName
  done = 0
  story = ''
  /** Milliseconds. */
  readonly slowest = { slowestStart: 0, slowestOwnStart: 0 }
  readonly faults: string[] = []
  readonly counts = { old: 0, new: 0, notes: 0, leftovers: 0, leftoversAfterStart: 0 }
  readonly killedAt: Record<string, number> = {}
  readonly diedAt: Record<string, number> = {}
  readonly #options: RestoreCampaignOptions
  readonly #folder: TempFolder
  readonly #random: () => number
  /** Milliseconds that each moment took when nobody was killed. */
  readonly #lengths = new Map<KillMoment, number>()
  #heard = new Heard()
  #onMoment: (moment: KillMoment) => void = () => undefined
  #server: ServerProcess | undefined
  #sides: Sides | undefined
  #current: Content | undefined

  constructor(options: RestoreCampaignOptions, folder: TempFolder) {
    this.#options = options
    this.#folder = folder
    this.#random = seededRandom(options.seed)
    this.engine = engineNames.find((name) => name === options.engine) ?? 'sqlite'
  }

  /** Two restores that nobody disturbs: they tell how long each moment takes. */
  async begin(): Promise<void> {
    for (const side of ['a', 'b']) await makeBackupFile(this.#file(side), side, this.#options.megabytes)
    await this.#start()
    const contents: Content[] = []
    for (const side of ['a', 'b']) {
      this.#heard = new Heard()
      const answer = await upload(`${this.#server?.url}/db/restore`, this.#file(side), `first-${side}`)
      if (answer?.status !== 200) throw new Error(`a restore was answered ${answer?.status}: ${JSON.stringify(answer?.body)}`)
      this.#heard.hear('answered')
      for (const moment of momentsOf[this.engine]) this.#lengths.set(moment, this.#heard.lengthOf(moment))
      contents.push(await watchPlace(this.#options.url).content())
    }
    const [a, b] = contents
    if (!a || !b || a.hash === b.hash) throw new Error('the two contents are one')
    this.#sides = { a, b }
    this.#current = b
  }

  async end(): Promise<void> {
    await this.#server?.stop()
  }

  async round(): Promise<void> {
    const { url } = this.#options
    const moments = momentsOf[this.engine]
    // All of them in turn, early and late ones mixed: their number is no multiple of five.
    const target = moments[(this.done * 5) % moments.length] ?? 'uploading'
    const next = this.#current?.hash === this.#sides?.a.hash ? 'b' : 'a'
    const requestId = `round-${this.done}`
    const book = await this.#killDuring(target, this.#file(next), requestId)
    const place = watchPlace(url)
    await place.settled()
    this.counts.leftovers += (await place.leftovers()).length
    const alone = await this.#withoutLog()
    await this.#start()
    await this.#judge({ next, requestId, book, alone })
  }

  async #killDuring(target: KillMoment, file: string, requestId: string): Promise<NoteBook> {
    const server = this.#server
    if (!server) throw new Error('there is no server')
    const book = new NoteBook()
    const killed = Promise.withResolvers<void>()
    this.#heard = new Heard()
    let sent = false
    const kill = (): void => {
      if (sent) return
      sent = true
      this.#count(this.killedAt, this.#heard.last)
      server.kill().then(killed.resolve, killed.reject)
    }
    const killSoon = (moment: KillMoment): void => {
      if (moment !== target) return
      // The answer is the end: what comes after it has a moment of its own.
      const length = moment === 'answered' ? 50 : (this.#lengths.get(moment) ?? 0)
      // A timer is late by a millisecond or so, in which short steps are over.
      if (length < 5) kill()
      else setTimeout(kill, this.#random() * length)
    }
    this.#onMoment = killSoon
    killSoon('uploading')
    const writing = writeNotes(server.url, requestId, book, () => sent)
    const answer = await upload(`${server.url}/db/restore`, file, requestId)
    if (answer) {
      if (answer.status !== 200) this.faults.push(`${requestId} was answered ${answer.status}: ${JSON.stringify(answer.body)}`)
      this.#heard.hear('answered')
      killSoon('answered')
      // A restore that was quicker than those before it is killed now.
      if (target !== 'answered') kill()
    }
    await killed.promise
    await writing
    this.#count(this.diedAt, this.#heard.last)
    this.story = `after ${target}, died after ${this.#heard.last}`
    return book
  }

  /** The database file by itself, when the restore has said that it is in there: what is in the log may be lost with the power. */
  async #withoutLog(): Promise<Content | undefined> {
    const { url } = this.#options
    if (this.engine !== 'sqlite' || !this.#isAfter('synced')) return undefined
    const copy = this.#file('alone')
    await copyFile(url.slice('sqlite:'.length), copy)
    return await readContent(copy)
  }

  async #judge(given: { next: 'a' | 'b'; requestId: string; book: NoteBook; alone: Content | undefined }): Promise<void> {
    const { next, requestId, book, alone } = given
    const place = watchPlace(this.#options.url)
    const content = await place.content()
    const wanted = this.#sides?.[next].hash
    const isNew = content.hash === wanted
    const fault = (text: string): void => void this.faults.push(`${requestId} (${this.story}): ${text}`)
    for (const text of [...content.faults, ...book.surprises]) fault(text)
    if (!isNew && content.hash !== this.#current?.hash) fault(`it is neither the old database nor the new one: ${content.things} things`)
    if (content.restores.includes(requestId) !== isNew)
      fault(`it is the ${isNew ? 'new' : 'old'} one, and the log tells ${content.restores.join()}`)
    if (isNew && this.#isBefore(bounds.oldUntil)) fault('it is the new one too early')
    if (!isNew && this.#isAfter(bounds.newFrom)) fault('it is still the old one')
    if (alone && (alone.hash !== wanted || !alone.restores.includes(requestId))) fault('without its log the file is not the new one')
    if (content.notes.join() !== content.noteEntries.join())
      fault(`${content.notes.length} notes have ${content.noteEntries.length} entries`)
    const notes = new Set(content.notes)
    // Those of a new database are in the safety copy, which another campaign looks at.
    const lost = isNew ? [] : book.acknowledged.filter((name) => !notes.has(name))
    if (lost.length > 0) fault(`${lost.length} notes were acknowledged, and are nowhere`)
    this.counts.notes += book.acknowledged.length
    this.counts[isNew ? 'new' : 'old']++
    this.#current = content
  }

  async #start(): Promise<void> {
    const onLine = (line: string): void => {
      // The server prints nothing else.
      const moment = line as KillMoment
      this.#heard.hear(moment)
      this.#onMoment(moment)
    }
    this.#server = await startServer(this.#options.url, { script: restoreServer, onLine })
    const { readyAfter, ownReadyAfter } = this.#server
    this.slowest.slowestStart = Math.max(this.slowest.slowestStart, Math.round(readyAfter))
    this.slowest.slowestOwnStart = Math.max(this.slowest.slowestOwnStart, Math.round(ownReadyAfter))
    if (ownReadyAfter >= promisedReady)
      this.faults.push(
        `${this.story}: the start took ${Math.round(ownReadyAfter)} ms of its own to be ready; ${promisedReady} are promised`,
      )
    await this.#expectTidiness(watchPlace(this.#options.url))
  }

  /** Opening removes work folders, and schemas that were being filled. */
  async #expectTidiness(place: WatchedPlace): Promise<void> {
    const giveUpAt = performance.now() + 15_000
    let left = await place.leftovers()
    while (left.length > 0 && performance.now() < giveUpAt) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      left = await place.leftovers()
    }
    if (left.length > 0) this.faults.push(`${this.story}: a fresh process leaves ${left.join()}`)
    this.counts.leftoversAfterStart += left.length
  }

  #isBefore(moment: KillMoment): boolean {
    const moments = momentsOf[this.engine]
    return moments.indexOf(this.#heard.last) < moments.indexOf(moment)
  }

  #isAfter(moment: KillMoment): boolean {
    return !this.#isBefore(moment)
  }

  #count(numbers: Record<string, number>, moment: KillMoment): void {
    numbers[moment] = (numbers[moment] ?? 0) + 1
  }

  #file(name: string): string {
    return join(this.#folder.path, `${name}.sqlite`)
  }
}
