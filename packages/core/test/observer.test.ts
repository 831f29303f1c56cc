import { AsyncLocalStorage } from 'node:async_hooks'
import { Readable } from 'node:stream'
import { defineModel, type EndedUnit, ModelAccessor, type SeenJob, type StorageObserver, type WrittenRecords } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, test, vi } from 'vitest'
import { storagesOn } from './support.ts'

const Note = defineModel('notes', { text: Type.String({ minLength: 1 }) }, { unique: [['text']] })

/** Keeps all that it is told, and each piece of work with the one that it is in. */
class Notebook implements StorageObserver {
  readonly units: EndedUnit[] = []
  readonly written: WrittenRecords[] = []
  readonly jobs: SeenJob[] = []
  readonly work: string[] = []
  readonly #within = new AsyncLocalStorage<string>()
  readonly unitEnded = (unit: EndedUnit): void => void this.units.push(unit)
  readonly recordsWritten = (written: WrittenRecords): void => void this.written.push(written)
  readonly jobSeen = (job: SeenJob): void => void this.jobs.push(job)
  readonly around: NonNullable<StorageObserver['around']> = ({ kind, name, component }, code) => {
    const outer = this.#within.getStore()
    const path = `${outer === undefined ? '' : `${outer} > `}${kind} ${name}${component === null ? '' : ` of ${component}`}`
    this.work.push(path)
    return this.#within.run(path, code)
  }
}

describeEngines('an observer', (engine) => {
  const open = storagesOn(engine)

  test('is told of units, of what they wrote, and of jobs, and runs each piece of work within the one that it belongs to', async () => {
    const seen = new Notebook()
    const notes = new ModelAccessor(Note, 'diary')
    const storage = await open([notes], { observer: seen })
    notes.beforeInsert(async () => undefined)
    notes.afterCommit(() => undefined)
    await notes.insert({ text: 'one' })
    expect(seen.work).toEqual([
      'transaction transaction',
      'transaction transaction > hook beforeInsert of diary',
      'hook afterCommit of diary',
    ])
    await storage.transaction(async () => {
      await notes.insertMany([{ text: 'two' }, { text: 'three' }])
      await notes.insertMany([{ text: 'four' }, { text: 'one' }]).catch(() => undefined)
    })
    await notes.insert({ text: 'dry' }, { dryRun: true })
    await expect(notes.insert({ text: '' })).rejects.toThrow()
    expect(seen.written).toEqual([
      { component: 'diary', operation: 'create', count: 1 },
      { component: 'diary', operation: 'create', count: 2 },
    ])
    const committed = { tries: 1, outcome: 'committed', code: null }
    expect(seen.units).toMatchObject([
      committed,
      committed,
      { outcome: 'dry_run', code: null },
      { outcome: 'failed', code: 'validation_failed' },
    ])
    for (const { wait, duration } of seen.units) expect(duration).toBeGreaterThanOrEqual(wait)
    seen.work.length = 0
    const { id } = await storage.startImport({ notes: Readable.from([Buffer.from('text\nfive\n')]) })
    await storage.jobs.wait(id)
    await vi.waitFor(() => expect(seen.jobs.map(({ state }) => state)).toEqual(['running', 'done']))
    expect(seen.work).toContain('job import > transaction transaction > hook beforeInsert of diary')
  })

  test('is told how often a unit was begun, and why one failed that is not the library’s', async () => {
    const seen: EndedUnit[] = []
    const storage = await open([], { observer: { unitEnded: (unit) => seen.push(unit) } })
    await expect(storage.transaction(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine')
    expect(seen).toMatchObject([{ tries: 1, outcome: 'failed', code: 'unknown' }])
  })
})
