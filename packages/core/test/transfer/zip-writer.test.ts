import { PassThrough, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ZipWriter } from '../../src/transfer/export/zip-writer.ts'
import { filesOf } from './zip-files.ts'

const anyFiles = fc.dictionary(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((name) => !/[/\\:\0]/.test(name) && name !== '__proto__'),
  fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }),
  { maxKeys: 5 },
)

test('an archive holds what was written, whatever it is called', async () => {
  await fc.assert(
    fc.asyncProperty(anyFiles, async (files) => {
      const output = new PassThrough()
      const zip = new ZipWriter(output)
      const write = async (): Promise<void> => {
        for (const [name, pieces] of Object.entries(files))
          await zip.add(name, async (write) => {
            for (const piece of pieces) await write(piece)
          })
        await zip.finish()
      }
      const [bytes] = await Promise.all([buffer(output), write()])
      const expected = Object.entries(files).map(([name, pieces]) => [name, Buffer.concat(pieces)])
      expect([...(await filesOf(bytes))]).toEqual(expected)
    }),
    { numRuns: Number(process.env['RUNS'] ?? 100) },
  )
})

test('a piece of memory can be used again when it was taken', async () => {
  const output = new PassThrough({ highWaterMark: 2 ** 25 })
  const zip = new ZipWriter(output)
  const memory = new Uint8Array(100_000)
  await zip.add('bytes', async (write) => {
    for (let round = 0; round < 20; round++) await write(memory.fill(round))
    memory.fill(99)
  })
  await zip.finish()
  const content = (await filesOf(await buffer(output))).get('bytes')
  expect(content).toEqual(Buffer.concat(Array.from({ length: 20 }, (_, round) => Buffer.alloc(100_000, round))))
})

test('the first failure is told: of whoever writes a file, or of where the archive goes', async () => {
  const broken = new Writable({ write: (_chunk, _encoding, callback) => callback(new Error('the disk is full')) })
  broken.on('error', () => undefined)
  const noise = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * index * 31) % 251))
  const endless = new ZipWriter(broken).add('bytes', async (write) => {
    for (;;) await write(noise)
  })
  await expect(endless).rejects.toThrow('the disk is full')
  const refused = new ZipWriter(new PassThrough()).add('bytes', async (write) => {
    await write(noise)
    throw new Error('no more rows')
  })
  await expect(refused).rejects.toThrow('no more rows')
})
