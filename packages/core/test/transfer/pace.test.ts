import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempFolder } from '@strongroom/testkit'
import { expect, onTestFinished, test, vi } from 'vitest'
import { filePieces } from '../../src/transfer/file-pieces.ts'
import { giveWay } from '../../src/transfer/give-way.ts'
import { mainLoad } from '../../src/transfer/worker/main-load.ts'
import { Pace } from '../../src/transfer/worker/pace.ts'

/** Keeps the thread busy. */
function work(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

/** A pace, and how long it has rested. */
function paceAt(load: number) {
  const rests: number[] = []
  const block = (milliseconds: number): void => void rests.push(milliseconds)
  return { pace: new Pace(Int32Array.of(load), { block, sleep: async (milliseconds) => block(milliseconds) }), rests }
}

test('work rests after a turn while the main thread is busy, and never while it is not', async () => {
  const [busy, idle] = [paceAt(900), paceAt(100)]
  for (const { pace } of [busy, idle]) {
    for (let turn = 0; turn < 3; turn++) {
      work(2)
      await pace.step()
      work(2)
      pace.stepBlocking()
    }
  }
  expect(busy.rests).toHaveLength(6)
  expect(Math.min(...busy.rests)).toBeGreaterThan(1)
  expect(idle.rests).toEqual([])
})

test('threads see how busy the main one is', async () => {
  const end = mainLoad.watch()
  try {
    await vi.waitFor(() => {
      work(60)
      expect(Atomics.load(mainLoad.cell, 0)).toBeGreaterThan(500)
    })
    await vi.waitFor(() => expect(Atomics.load(mainLoad.cell, 0)).toBeLessThan(500))
  } finally {
    end()
  }
})

test('whoever gives way waits for as long again as others took', async () => {
  const waits: number[] = []
  setImmediate(() => work(10))
  await giveWay(async (milliseconds) => void waits.push(milliseconds))
  expect(waits).toHaveLength(1)
  expect(waits[0]).toBeGreaterThanOrEqual(10)
})

test('the pieces of a file are its bytes, and are no larger than 64 KiB', async () => {
  const folder = await tempFolder('pace')
  onTestFinished(() => folder.remove())
  const path = join(folder.path, 'file')
  const bytes = randomBytes(150_000)
  await writeFile(path, bytes)
  const pieces: Buffer[] = []
  for await (const piece of filePieces(path)) pieces.push(piece)
  expect(Buffer.concat(pieces).equals(bytes)).toBe(true)
  expect(pieces.map(({ length }) => length)).toEqual([65_536, 65_536, 18_928])
})
