import { copyFileSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, vi } from 'vitest'
import { note, stored, test, withNotes } from './sqlite-support.ts'

const megabyte = 1_048_576
const sizeOf = (path: string): number => statSync(path).size
/** A note of so many megabytes, by its first letters. */
const large = (letters: string, megabytes = 5) => note(letters + 'x'.repeat(megabytes * megabyte))

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
    for (let number = 0; number < 30; number++) await engine.write(large(`${number} `, 1))
    // No thread was needed: each commit found what the ones before it had left.
    expect(sizeOf(file)).toBeGreaterThan(25 * megabyte)
    expect(sizeOf(`${file}-wal`)).toBeLessThan(8 * megabyte)
  })

  test('is brought in when the commit that made it long is answered, in a turn of its own, before the next unit', async ({
    open,
    file,
  }) => {
    const engine = await withNotes(await open())
    const made = sizeOf(file)
    // The second one waits while the first is written.
    const [first, second] = ['a', 'b'].map((letter) => engine.write({ ...large(letter), alone: true }))
    await first
    expect(sizeOf(file)).toBe(made)
    await second
    expect(sizeOf(file)).toBeGreaterThan(5 * megabyte)
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
    // And commits do it again.
    await engine.write(large('last'))
    expect(sizeOf(file)).toBeGreaterThan(85 * megabyte)
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
