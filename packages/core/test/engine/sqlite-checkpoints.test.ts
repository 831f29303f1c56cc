import { copyFileSync, readFileSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, vi } from 'vitest'
import { note, stored, test, withNotes } from './sqlite-support.ts'

const megabyte = 1_048_576
const sizeOf = (path: string): number => statSync(path).size
/** A note of so many megabytes, by its first letters. */
const large = (letters: string, megabytes = 5) => note(letters + 'x'.repeat(megabytes * megabyte))

/** How often a log has begun anew, as its header tells (https://sqlite.org/fileformat2.html, 4.1). */
const beginnings = (path: string): number => readFileSync(`${path}-wal`).readUInt32BE(12)

/** Somebody who reads one moment of a database, until the answer is called. */
function readFrom(file: string): () => void {
  const reader = new Database(file, { readonly: true })
  onTestFinished(() => void reader.close())
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM notes').get()
  return () => void reader.close()
}

describe('the log that commits leave', () => {
  test('is brought into the file little by little, and begins anew: it stays short', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const begun = beginnings(file)
    for (let round = 1; round <= 5; round++) {
      await engine.write(large(`${round} `))
      await vi.waitFor(() => expect(sizeOf(file)).toBeGreaterThan(5 * round * megabyte), 10_000)
      // What is written next stands where the first stood.
      await vi.waitFor(async () => {
        await engine.write(note(`${round} ${performance.now()}`))
        expect(beginnings(file)).toBeGreaterThan(begun + round - 1)
      }, 10_000)
    }
  })

  test('is brought in without its writers having to pause', async ({ open, file }) => {
    const engine = await withNotes(await open())
    let over = false
    const writers = ['a', 'b'].map(async (letter) => {
      for (let number = 0; !over; number++) await engine.write(large(`${letter}${number} `, 1))
    })
    await vi.waitFor(() => expect(sizeOf(file)).toBeGreaterThan(50 * megabyte), 20_000)
    over = true
    await Promise.all(writers)
  })

  test('stays below its limit under writers who write much and never pause', async ({ open, file }) => {
    const engine = await withNotes(await open())
    for (let number = 0; number < 10; number++) await engine.write(large(`${number} `, 10))
    // 100 MB were logged.
    await vi.waitFor(() => expect(sizeOf(file)).toBeGreaterThan(70 * megabyte), 20_000)
    await vi.waitFor(() => expect(sizeOf(`${file}-wal`)).toBeLessThan(65 * megabyte), 20_000)
  })

  test('waits while somebody reads an earlier moment; then a thread brings it in, and cuts a large one down', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const end = readFrom(file)
    for (let number = 0; number < 8; number++) await engine.write(large(`${number} `, 10))
    expect(sizeOf(`${file}-wal`)).toBeGreaterThan(80 * megabyte)
    expect(sizeOf(file)).toBeLessThan(megabyte)

    end()
    await vi.waitFor(() => expect(sizeOf(`${file}-wal`)).toBe(0), 10_000)
    expect(sizeOf(file)).toBeGreaterThan(80 * megabyte)
    // And the next commit has it done again.
    await engine.write(large('last'))
    await vi.waitFor(() => expect(sizeOf(file)).toBeGreaterThan(85 * megabyte), 10_000)
  })

  test('is in the file when the database is closed, however long', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const end = readFrom(file)
    for (const letter of 'abcd') await engine.write(large(letter))
    end()
    await engine.close()
    expect(stored(file, 'SELECT count(*) FROM notes')).toEqual([4])
    expect(sizeOf(file)).toBeGreaterThan(20 * megabyte)
  })

  test('keeps nobody from closing the database while another program reads', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const end = readFrom(file)
    for (const letter of 'abcd') await engine.write(large(letter))
    await engine.close()
    end()
    expect(stored(file, 'SELECT count(*) FROM notes')).toEqual([4])
  })

  test('is brought in by the commits where no thread can be had, such as where a bundler has lost its file', async ({ file }) => {
    vi.resetModules()
    vi.doMock('../../src/engine/module-url.ts', () => ({ moduleUrl: () => new URL('./there-is-none.ts', import.meta.url) }))
    onTestFinished(() => void vi.doUnmock('../../src/engine/module-url.ts'))
    const { openSqliteEngine } = await import('../../src/engine/sqlite/open.ts')
    const engine = await withNotes(await openSqliteEngine({ path: file }))
    onTestFinished(() => engine.close())
    await engine.write(large('first'))
    await vi.waitFor(async () => {
      await engine.write(note(`short ${performance.now()}`))
      expect(sizeOf(file)).toBeGreaterThan(5 * megabyte)
    }, 10_000)
  })

  test('is brought in by whoever opens the database, where a killed process has left a long one', async ({ open, file }) => {
    const engine = await withNotes(await open())
    readFrom(file)
    for (const letter of 'abcd') await engine.write(large(letter))
    const left = `${file}-left`
    for (const ending of ['', '-wal']) copyFileSync(`${file}${ending}`, `${left}${ending}`)

    const next = await open({ path: left })
    await vi.waitFor(() => expect(sizeOf(left)).toBeGreaterThan(20 * megabyte), 10_000)
    await next.close()
    expect(stored(left, 'SELECT count(*) FROM notes')).toEqual([4])
  })
})
