import { createReadStream } from 'node:fs'
import { openStorage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { parse } from 'csv-parse'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { files } from '../src/files.ts'
import { loadFiles } from '../src/load.ts'
import { countries, navaids, regions } from '../src/models.ts'

const accessors = [countries, regions, navaids]

const open = (url: string) => openStorage({ url, accessors })

async function openAt(url: string) {
  const storage = await open(url)
  onTestFinished(() => storage.close())
  return storage
}

/** The rows of a file, as another reader sees them. */
async function rowsOf(name: string): Promise<Record<string, string>[]> {
  const rows: Record<string, string>[] = []
  const path = new URL(`../data/${name}`, import.meta.url)
  for await (const row of createReadStream(path).pipe(parse({ columns: true }))) rows.push(row)
  return rows
}

describeEngines('the loaded data', (engine) => {
  let storage: Awaited<ReturnType<typeof open>>
  const lines: string[] = []
  beforeAll(async () => {
    storage = await open(await engine.freshUrl())
    await loadFiles(storage, (line) => lines.push(line))
  })
  afterAll(() => storage.close())

  test('is every row of every file, each with its audit entry', async () => {
    expect(files.map(({ name }) => name)).toEqual(accessors.map(({ component }) => `${component}.csv`))
    for (const accessor of accessors) {
      const name = `${accessor.component}.csv`
      const rows = await rowsOf(name)
      expect(await accessor.count()).toBe(rows.length)
      expect(await storage.audit.count({ component: accessor.component, operation: 'create', actor: 'quickstart' })).toBe(rows.length)
      expect(lines).toContainEqual(
        expect.stringMatching(
          new RegExp(`^${name}: ${rows.length} of ${rows.length} rows loaded, 0 refused, \\d+ empty cells became null$`),
        ),
      )
    }
    expect(await storage.audit.count()).toBe(249 + 3987 + 11_008)
  })

  test('says what the cells say', async () => {
    const beograd = await navaids.get(85_941)
    expect(beograd).toMatchObject({
      ident: 'BGD',
      name: 'Beograd',
      type: 'VOR-DME',
      country: 'RS',
      frequency_khz: 112_050,
      latitude_deg: 44.8193,
    })
    expect(beograd).toMatchObject({
      slaved_variation_deg: '4.000',
      elevation_ft: 331,
      dme_frequency_khz: null,
      dme_channel: '070X',
      usage: 'BOTH',
    })
    expect(await navaids.get(86_054)).toMatchObject({ ident: 'BIK', frequency_khz: null })
    expect(await countries.get('CI')).toMatchObject({
      name: "Côte d'Ivoire",
      wikipedia_link: "https://en.wikipedia.org/wiki/C%C3%B4te_d'Ivoire",
    })
    expect(await regions.get('AD-02')).toMatchObject({ local_code: '02', country: 'AD' })
    const places = new Map(
      (await rowsOf('navaids.csv')).map((row) => [Number(row['id']), [Number(row['latitude_deg']), Number(row['longitude_deg'])]]),
    )
    const stored = new Map<number, number[]>()
    for await (const { id, latitude_deg, longitude_deg } of navaids.stream()) stored.set(id, [latitude_deg, longitude_deg])
    expect(stored).toEqual(places)
  })
})

describeEngines('the first start', (engine) => {
  test('goes on where it was interrupted, and does not bring back what was deleted', async () => {
    const storage = await openAt(await engine.freshUrl())
    class Interrupted extends Error {}
    const stopAt = (line: string) => {
      if (line === 'navaids.csv: 3000 of 11008 rows') throw new Interrupted()
    }
    await expect(loadFiles(storage, stopAt)).rejects.toThrow(Interrupted)
    expect(await navaids.count()).toBe(3000)
    await navaids.purge(85_050)
    const lines: string[] = []
    await loadFiles(storage, (line) => lines.push(line))
    expect(lines[0]).toBe('navaids.csv: 3000 of 11008 rows were loaded before, going on')
    expect(await navaids.count()).toBe(11_007)
    expect(await storage.audit.count({ operation: 'create' })).toBe(249 + 3987 + 11_008)
  })

  test('is the only one that loads', async () => {
    const storage = await openAt(await engine.freshUrl())
    await loadFiles(storage, () => undefined)
    const lines: string[] = []
    await loadFiles(storage, (line) => lines.push(line))
    expect(lines).toEqual([])
    expect(await storage.audit.count()).toBe(249 + 3987 + 11_008)
  })
})

describe('a row that the models refuse', () => {
  test('is named with the reason, and the rows around it are loaded', async () => {
    const storage = await openAt('sqlite::memory:')
    let spoil = true
    onTestFinished(() => {
      spoil = false
    })
    countries.beforeInsert(({ record }) => {
      if (spoil && record.code === 'AD') record.name = ''
    })
    const lines: string[] = []
    await loadFiles(storage, (line) => lines.push(line))
    expect(lines).toContain('countries.csv: AD (Andorra): not loaded, name: must not be empty')
    expect(await countries.count()).toBe(248)
    expect(lines.filter((line) => line.includes('refused'))).toEqual([
      'countries.csv: 248 of 249 rows loaded, 1 refused, 16 empty cells became null',
      expect.stringMatching(/^regions\.csv: 3979 of 3987 rows loaded, 8 refused/),
      expect.stringMatching(/^navaids\.csv: 11008 of 11008 rows loaded, 0 refused/),
    ])
  })
})
