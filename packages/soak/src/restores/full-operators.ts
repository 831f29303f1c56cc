import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import type { RestoreStep } from '@strongroom/core'
import { tempFolder } from '@strongroom/testkit'
import type { Evidence } from '../evidence.ts'
import { exchange } from '../exchange.ts'
import { type CampaignOptions, seconds } from '../kills.ts'
import { type ServerProcess, startServer } from '../server-process.ts'
import { makeBackupFile } from './backup-file.ts'
import { type Content, readContent } from './content.ts'
import { restoreServer } from './restore-server.ts'
import { mountSmallDisk, type SmallDisk } from './small-disk.ts'
import { upload } from './upload.ts'

/** Bytes that are left where an operation is to fail in its middle. */
const little = 1_000_000

/** The second backup is the larger one: the database file has to grow when it is restored. */
const megabytes = { disk: 96, grown: 256, a: 4, b: 7 }

/** When the disk is filled up: before an operation begins, or when a restore has come to a step. */
type Filling = 'before' | RestoreStep

const restoreFillings: readonly Filling[] = ['before', 'received', 'examined', 'staged', 'held', 'locked', 'kept', 'prepared', 'replaced']

/** An operation on a disk that is too small for it. */
interface Attempt {
  readonly name: string
  readonly filling: Filling
  /** It gets by without a byte of the disk. */
  readonly needsNoRoom?: boolean
  /** Answers the status, and the code of a refusal. */
  run(): Promise<{ status: number; code: string | undefined }>
}

/** Backups, imports and restores on a full disk: 507, nothing changed, nothing left, and the server goes on. Exports go through. */
export async function fullOperatorsCampaign({ rounds, seed, report = () => undefined }: CampaignOptions): Promise<Evidence> {
  const started = performance.now()
  const faults: string[] = []
  const counts: Record<string, number> = {}
  const folder = await tempFolder('full-operators')
  let done = 0
  try {
    for (const side of ['a', 'b'] as const) await makeBackupFile(join(folder.path, `${side}.sqlite`), side, megabytes[side])
    const rows = Array.from({ length: 4_000 }, (_, index) => `imported ${index},${'x'.repeat(2_000)}`)
    writeFileSync(join(folder.path, 'things.csv'), `name,padding\n${rows.join('\n')}\n`)
    for (; done < rounds; done++) {
      const disk = await mountSmallDisk(megabytes.disk)
      try {
        await new Round(disk, folder.path, `round ${done}`, counts, faults).run()
      } finally {
        await disk.remove()
      }
      report(`full-operators ${done + 1}/${rounds}: ${JSON.stringify(counts)}, ${faults.length} faults so far`)
    }
  } finally {
    await folder.remove()
  }
  return {
    campaign: 'full-operators',
    engine: 'sqlite',
    seed,
    roundsAsked: rounds,
    roundsDone: done,
    counts,
    faults,
    duration: seconds(started),
  }
}

class Round {
  readonly #disk: SmallDisk
  readonly #files: string
  readonly #name: string
  readonly #counts: Record<string, number>
  readonly #faults: string[]
  readonly #database: string
  readonly #agent = new Agent({ keepAlive: true })
  #fillAt: RestoreStep | undefined
  #url = ''

  constructor(disk: SmallDisk, files: string, name: string, counts: Record<string, number>, faults: string[]) {
    this.#disk = disk
    this.#files = files
    this.#name = name
    this.#counts = counts
    this.#faults = faults
    this.#database = join(disk.path, 'small.db')
  }

  async run(): Promise<void> {
    const temporary = join(this.#disk.path, 'tmp')
    mkdirSync(temporary)
    const onLine = (line: string): void => {
      if (line === this.#fillAt) this.#disk.fill(0)
    }
    const server = await startServer(`sqlite:${this.#database}`, { script: restoreServer, variables: { TMPDIR: temporary }, onLine })
    try {
      this.#url = server.url
      await this.#restore('a')
      for (const attempt of this.#attempts(server)) await this.#try(attempt)
      this.#disk.grow(megabytes.grown)
      for (const { name, filling, run } of this.#attempts(server)) {
        if (filling !== 'before') continue
        const { status, code } = await run()
        this.#expect(name, status === 200, `is answered ${status} ${code} with room again`)
      }
    } finally {
      await server.stop()
      this.#agent.destroy()
    }
  }

  #attempts({ url }: ServerProcess): Attempt[] {
    const get = async (path: string) => {
      const response = await fetch(`${url}${path}`)
      const bytes = Buffer.from(await response.arrayBuffer())
      return { status: response.status, code: response.ok ? undefined : (JSON.parse(bytes.toString()) as { code: string }).code }
    }
    const post = async (path: string) => {
      const answer = await exchange(this.#agent, { method: 'POST', url: `${url}${path}` })
      return { status: answer?.status ?? 0, code: (answer?.body as { code?: string } | undefined)?.code }
    }
    return [
      { name: 'backup', filling: 'before', run: () => get('/db/backup.sqlite') },
      // The way out of a full disk: it reads the live file where there is no room for a copy.
      { name: 'export', filling: 'before', needsNoRoom: true, run: () => get('/db/export.zip') },
      { name: 'import', filling: 'before', run: () => post(`/imports?file=${encodeURIComponent(join(this.#files, 'things.csv'))}`) },
      ...restoreFillings.map((filling) => ({ name: 'restore', filling, run: () => this.#restore('b') })),
    ]
  }

  async #restore(side: 'a' | 'b'): Promise<{ status: number; code: string | undefined }> {
    const answer = await upload(`${this.#url}/db/restore`, join(this.#files, `${side}.sqlite`), `to-${side}`)
    return { status: answer?.status ?? 0, code: (answer?.body as { code?: string } | undefined)?.code }
  }

  async #try({ name, filling, needsNoRoom = false, run }: Attempt): Promise<void> {
    const label = filling === 'before' ? name : `${name}, full when ${filling}`
    const before = await readContent(this.#database)
    if (filling === 'before') this.#disk.fill(little)
    else this.#fillAt = filling
    const { status, code } = await run()
    this.#fillAt = undefined
    this.#count(`${label}: ${status}`)
    const full = status === 507 && code === 'storage_full'
    // What is replaced already, or has room enough by then, goes through.
    const right = needsNoRoom ? status === 200 : full || (filling !== 'before' && status === 200)
    this.#expect(label, right, `was answered ${status} ${code}`)
    await this.#expectReads(label)
    const after = await readContent(this.#database)
    if (status !== 200 || needsNoRoom) this.#expect(label, sameContent(before, after), 'has changed something')
    this.#expect(label, after.faults.length === 0, after.faults.join())
    await this.#expectNothingLeft(label)
    this.#disk.makeRoom()
    const written = await exchange(this.#agent, { method: 'POST', url: `${this.#url}/notes`, body: { name: label } })
    this.#expect(label, written?.status === 201, `lets the server answer ${written?.status} to a write, with room again`)
    if (status === 200 && !needsNoRoom) await this.#restore('a')
  }

  async #expectReads(label: string): Promise<void> {
    const read = await exchange(this.#agent, { method: 'GET', url: `${this.#url}/things/1` })
    this.#expect(label, read?.status === 200, `lets reads be answered ${read?.status}`)
  }

  async #expectNothingLeft(label: string): Promise<void> {
    const giveUpAt = performance.now() + 5_000
    const known = /^(small\.db(-wal|-shm|-safety)?|ballast|tmp)$/
    const left = (): string[] => [
      ...readdirSync(this.#disk.path).filter((name) => !known.test(name)),
      ...readdirSync(join(this.#disk.path, 'tmp')),
      ...readdirSync(`${this.#database}-safety`).filter((name) => !/^before-restore-.*Z\.sqlite$|^held-while-restoring$/.test(name)),
    ]
    while (left().length > 0 && performance.now() < giveUpAt) await new Promise((resolve) => setTimeout(resolve, 20))
    this.#expect(label, left().length === 0, `leaves ${left().join()}`)
  }

  #expect(label: string, right: boolean, what: string): void {
    if (!right) this.#faults.push(`${this.#name}: ${label} ${what}`)
  }

  #count(what: string): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1
  }
}

function sameContent(one: Content, other: Content): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
