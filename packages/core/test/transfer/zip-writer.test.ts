import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { tempFolder } from '@strongroom/testkit'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import yauzl from 'yauzl'
import { archiveEnd } from '../../src/transfer/export/zip-records.ts'
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
        output.end()
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
  output.end()
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

test('files and archives past four gigabytes, and more files than two bytes count, are told in eight', async () => {
  const folder = await tempFolder('zip')
  onTestFinished(folder.remove)
  const gigabytes = 2 ** 30
  const time = new Date('2026-01-02T03:04:06Z')
  const file = { time, checksum: 7 }
  const large = [
    { ...file, name: 'small', start: 0, size: 1, packedSize: 2 },
    { ...file, name: 'large', start: 100, size: 60 * gigabytes, packedSize: 6 * gigabytes },
    { ...file, name: 'behind', start: 7 * gigabytes, size: 5, packedSize: 6 },
    { ...file, name: 'limit', start: 7 * gigabytes + 50, size: 0xffff_ffff, packedSize: 10 },
  ]
  const many = Array.from({ length: 65_536 }, (_, index) => ({ ...file, name: `${index}`, start: index, size: 1, packedSize: 2 }))
  for (const [files, start] of [
    [large, 8 * gigabytes],
    [many, 65_536],
  ] as const) {
    const path = join(folder.path, `${files.length}.zip`)
    const handle = await open(path, 'wx')
    // A file with a hole in it: its bytes are not looked at here.
    await handle.write(archiveEnd(files, start), 0, undefined, start)
    await handle.close()
    const found = await entriesOf(path)
    // 2026-01-02T03:04:06Z as 4.4.6 has it.
    const [day, clock] = [(46 << 9) | (1 << 5) | 2, (3 << 11) | (4 << 5) | 3]
    expect(found).toEqual(files.map(({ name, start, size, packedSize }) => ({ name, start, size, packedSize, checksum: 7, day, clock })))
  }
})

function entriesOf(path: string): Promise<object[]> {
  const { promise, resolve, reject } = Promise.withResolvers<object[]>()
  const found: object[] = []
  yauzl.open(path, { lazyEntries: false }, (error, archive) => {
    if (error) return reject(error)
    archive.on('error', reject)
    archive.on('end', () => resolve(found))
    archive.on('entry', (entry: yauzl.Entry) => {
      const {
        fileName: name,
        uncompressedSize: size,
        compressedSize: packedSize,
        relativeOffsetOfLocalHeader: start,
        crc32: checksum,
      } = entry
      found.push({ name, start, size, packedSize, checksum, day: entry.lastModFileDate, clock: entry.lastModFileTime })
    })
  })
  return promise
}
