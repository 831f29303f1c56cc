import { createHash } from 'node:crypto'
import { defineModel, type ExportManifest, ModelAccessor, openStorage, type Storage } from '@strongroom/core'
import { makeZip, type ZippedFile } from '@strongroom/testkit'
import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openZip, zipCaps } from '../../src/transfer/import/zip.ts'
import { rejectionOf } from '../support.ts'
import { exported, filesIn, streamed, watchTemporaryFiles } from './import-support.ts'
import { filesOf } from './zip-files.ts'

const Person = defineModel('people', { name: Type.String() })
const Town = defineModel('towns', { name: Type.String() })

const people: ZippedFile = { name: 'people.csv', content: 'name\nAnn\n' }

describe('the archives that storage.import takes', () => {
  watchTemporaryFiles()
  const fileOf = filesIn()
  const persons = new ModelAccessor(Person, 'persons')
  const towns = new ModelAccessor(Town, 'towns')
  let storage: Storage
  beforeAll(async () => {
    const opened: unknown = await openStorage({ url: 'sqlite::memory:', accessors: [persons, towns] })
    // Nobody asks for its tables here.
    storage = opened as Storage
  })
  afterAll(() => storage.close())

  const refusalOf = async (files: readonly ZippedFile[]) => rejectionOf(storage.import(streamed(makeZip(files))))
  const refused = (code: string, message: string | RegExp) => ({ code, message: expect.stringMatching(message) })

  test('files are for tables by their table or component', async () => {
    const report = await storage.import(
      streamed(
        makeZip([
          { ...people, name: 'persons.CSV' },
          { name: 'towns.csv', content: 'name\nRome\n' },
        ]),
      ),
    )
    expect(report.tables.map(({ table, inserted }) => [table, inserted])).toEqual([
      ['people', 1],
      ['towns', 1],
    ])
    await persons.purgeMany({})
    await towns.purgeMany({})
  })

  const hostile: readonly (readonly [string, readonly ZippedFile[], RegExp])[] = [
    ['a name that leads out', [{ ...people, name: '../people.csv' }], /invalid relative path/],
    ['an absolute name', [{ ...people, name: '/people.csv' }], /absolute path/],
    ['a name with a drive', [{ ...people, name: 'C:/people.csv' }], /absolute path/],
    ['a name with backslashes', [{ ...people, name: '..\\people.csv' }], /invalid characters/],
    ['a symbolic link', [{ ...people, content: '/etc/passwd', mode: 0o120777 }], /people\.csv is a symbolic link/],
    ['a name twice', [people, people], /has people\.csv twice/],
    ['two files for one table', [people, { ...people, name: 'persons.csv' }], /are both for the table people/],
    ['an encrypted file', [{ ...people, flags: 1 }], /people\.csv is encrypted/],
    [
      'a file of no table',
      [people, { name: 'peple.csv', content: 'name\n' }],
      /peple\.csv is no file of a table\. There are people\.csv, towns\.csv/,
    ],
    ['a file of another kind', [{ name: 'people.txt', content: 'x' }], /people\.txt is no file of a table/],
    ['a folder', [people, { name: 'people/', content: '' }], /is no file of a table/],
    ['nothing', [], /has no CSV file/],
    ['a checksum that does not fit', [{ ...people, claimedSum: 7 }], /damaged/],
    ['a file that is shorter than it says', [{ ...people, claimedSize: 100 }], /not enough bytes/],
    ['the audit log alone', [{ name: 'strongroom_audit_log.csv', content: 'id\n' }], /exported for reading/],
  ]
  test.each(hostile)('refuses %s', async (_what, files, message) => {
    expect(await refusalOf(files)).toMatchObject(refused('validation_failed', message))
    expect(await persons.count()).toBe(0)
  })

  test.each([
    ['text', 'name\nAnn\n'],
    ['nothing', ''],
    ['half of an archive', makeZip([people]).subarray(0, 60)],
  ])('refuses %s in place of an archive', async (_what, content) => {
    expect(await rejectionOf(storage.import(streamed(content)))).toMatchObject(refused('validation_failed', /^This is no zip/))
  })

  describe('stops what is too large', () => {
    test('by what it says of itself, before anything is unpacked', async () => {
      const much = Array.from({ length: 3 }, (_, index) => ({ name: `${index}.csv`, content: '', claimedSize: 0xffff_fffe }))
      expect(await refusalOf(much)).toMatchObject({ ...refused('payload_too_large', /more than 200 times/), status: 413 })
      const many = Array.from({ length: zipCaps.entries + 1 }, (_, index) => ({ name: `${index}.csv`, content: '' }))
      expect(await refusalOf(many)).toMatchObject(refused('payload_too_large', /more than 2000 files/))
    })

    test('by the file, and by all of them', async () => {
      const path = await fileOf('two.zip', makeZip([people, { name: 'towns.csv', content: 'name\nRome\nParis\n' }]))
      const opening = (caps: Partial<typeof zipCaps>) => rejectionOf(openZip(path, { ...zipCaps, ...caps }))
      expect(await opening({ fileBytes: 12 })).toMatchObject(refused('payload_too_large', /towns\.csv, which has more than 12 bytes/))
      expect(await opening({ totalBytes: 20 })).toMatchObject(refused('payload_too_large', /more than 20 bytes/))
    })

    test('while it is unpacked, when it holds more than it says, in flat memory', async () => {
      const bomb = makeZip([{ name: 'people.csv', content: Buffer.alloc(64_000_000, 'name\n'), claimedSize: 1_000 }])
      expect(bomb.length).toBeLessThan(200_000)
      const path = await fileOf('bomb.zip', bomb)
      const zip = await openZip(path, zipCaps)
      let unpacked = 0
      const reading = (async () => {
        for await (const bytes of zip.read('people.csv')) unpacked += bytes.length
      })()
      expect(await rejectionOf(reading)).toMatchObject({ ...refused('payload_too_large', /larger than it says/), status: 413 })
      zip.close()
      expect(unpacked).toBeLessThanOrEqual(1_000)
      expect(await rejectionOf(storage.import(path))).toMatchObject({ status: 413 })
      expect(await persons.count()).toBe(0)
    })

    test('a row without an end is one fault', async () => {
      const endless = function* (): Generator<Buffer> {
        yield Buffer.from('name\na\n"')
        for (let piece = 0; piece < 40; piece++) yield Buffer.alloc(1_000_000, 'x')
      }
      const { Readable } = await import('node:stream')
      const { errors } = await storage.import({ people: Readable.from(endless()) })
      expect(errors).toEqual([{ file: 'people', line: 3, field: '', message: expect.stringContaining('Is a quote not closed?') }])
    })
  })

  describe('with the manifest of an export', () => {
    let whole: ReadonlyMap<string, Buffer>
    beforeAll(async () => {
      whole = await filesOf(await exported(storage))
    })
    const changedExport = async (change: (files: Map<string, Buffer>, manifest: ExportManifest) => object | undefined) => {
      const files = new Map(whole)
      // An export wrote it.
      const manifest = JSON.parse(String(files.get('manifest.json'))) as ExportManifest
      const changed = change(files, manifest)
      if (changed) files.set('manifest.json', Buffer.from(JSON.stringify(changed)))
      return storage.import(streamed(makeZip([...files].map(([name, content]) => ({ name, content })))), { dryRun: true })
    }

    test('it is imported, and what is in no table of a model is skipped', async () => {
      const report = await changedExport(() => undefined)
      expect([report.errorCount, report.skipped.map(({ table }) => table)]).toEqual([0, ['strongroom_audit_log']])
    })

    test('a file that was changed is refused, and taken where the manifest tells of the change', async () => {
      const content = Buffer.from('id,name\r\n5,Eve\r\n')
      const changed = changedExport((files) => void files.set('people.csv', content))
      expect(await rejectionOf(changed)).toMatchObject(refused('validation_failed', /people\.csv was changed since it was exported/))
      const report = await changedExport((files, manifest) => {
        files.set('people.csv', content)
        const sha256 = createHash('sha256').update(content).digest('hex')
        return { ...manifest, files: manifest.files.map((file) => (file.table === 'people' ? { ...file, sha256 } : file)) }
      })
      expect(report.tables[0]).toMatchObject({ table: 'people', inserted: 1 })
    })

    test.each<[string, (files: Map<string, Buffer>, manifest: ExportManifest) => object | undefined, RegExp]>([
      ['of another format', (_files, manifest) => ({ ...manifest, format: 'zip' }), /is not that of an export/],
      ['of a newer version', (_files, manifest) => ({ ...manifest, version: 2 }), /has the version 2; this library knows 1/],
      ['for a spreadsheet', (_files, manifest) => ({ ...manifest, spreadsheet: true }), /made for a spreadsheet/],
      ['without its files', (_files, manifest) => ({ ...manifest, files: 7 }), /lists no files/],
      ['with a broken file', (_files, manifest) => ({ ...manifest, files: [{}] }), /has a file without name/],
      ['that is no object', () => [], /is not that of an export/],
      ['that is no JSON', (files) => void files.set('manifest.json', Buffer.from('{')), /is no JSON object/],
      ['that knows less', (files) => void files.set('more.csv', Buffer.from('')), /does not know the file more\.csv/],
      ['that knows more', (files) => void files.delete('towns.csv'), /towns\.csv is in the manifest, but not in the archive/],
    ])('one %s is refused', async (_what, change, message) => {
      expect(await rejectionOf(changedExport(change))).toMatchObject(refused('validation_failed', message))
    })
  })
})
