import { readFile, writeFile } from 'node:fs/promises'
import { type AnyModel, ModelAccessor, openMigrator, openStorage, type Storage } from '@strongroom/core'
import { describeEngines, tempFolder } from '@strongroom/testkit'
import { afterEach, expect, test } from 'vitest'
import { rejectionOf } from '../support.ts'
import { type Loose, type Pair, pairs, Team } from './pairs.ts'

const accessorsOf = (model: AnyModel | undefined) => [...(model ? [model] : []), Team].map((one) => new ModelAccessor(one, one.name))

describeEngines('a model that changes', (engine) => {
  const opened: { close(): Promise<void> }[] = []
  let url: string
  const open = async (model: AnyModel | undefined, createTables: boolean): Promise<Storage> => {
    const storage = await openStorage({ url, accessors: accessorsOf(model), createTables })
    opened.push(storage)
    return storage
  }
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close()
  })

  /** The records as they stand, without what the library keeps. */
  const rowsOf = async (model: AnyModel | undefined, createTables = false): Promise<readonly Loose[]> => {
    const storage = await open(model, createTables)
    const rows = model ? await storage.accessor(model).all({ includeDeleted: true }) : []
    expect((await storage.health()).schemaDifferences).toEqual([])
    await storage.close()
    return rows as readonly Loose[]
  }
  const numbered = (rows: readonly Loose[], model: AnyModel | undefined): Loose[] =>
    rows.map((row, index) => expect.objectContaining({ [model?.id.name ?? 'id']: index + 1, ...row }))

  const prepare = async ({ before, rows = [] }: Pair): Promise<void> => {
    url = await engine.freshUrl()
    const storage = await open(before, true)
    await storage.accessor(Team).insert({ name: 't' })
    // The pair's records fit its first model.
    if (before) await storage.accessor(before).insertMany(rows as never[])
    await storage.close()
  }

  test.each(pairs.map((pair) => [pair.name, pair] as const))('%s', async (_name, pair) => {
    const { before, after, start, outcome, rows = [], edit, back = rows } = pair
    await prepare(pair)
    const folder = await tempFolder('pairs')
    const migrator = await openMigrator({ url, accessors: accessorsOf(after), migrations: folder.path })
    opened.push(migrator, { close: folder.remove })

    // 1. The right plan.
    const { needMigration, differences } = await migrator.diff()
    if (start === 'stops') {
      expect(needMigration).not.toEqual([])
      expect(await rejectionOf(open(after, true))).toMatchObject({ code: 'schema_mismatch', differences })
    } else {
      expect(needMigration).toEqual([])
      expect(differences.length === 0).toBe(start === 'same')
    }

    // 2. A migration does it all, or says what stands against it and has done nothing.
    const refused = outcome instanceof RegExp
    const written = await migrator.write('change').catch((error: unknown) => error)
    if (typeof written !== 'string') {
      expect(written).toMatchObject({
        code: 'migration_refused',
        message: refused ? expect.stringMatching(outcome) : expect.stringMatching(/as the models want it/),
      })
      expect(await rowsOf(refused ? before : after, !refused)).toEqual(numbered(refused ? rows : outcome, before))
      return
    }
    if (edit) await writeFile(written, (await readFile(written, 'utf8')).replace(...edit))
    if (refused) {
      expect(await rejectionOf(migrator.up())).toMatchObject({ code: 'migration_refused', message: expect.stringMatching(outcome) })
      expect((await migrator.status()).applied).toEqual([])
      expect(await rowsOf(before)).toEqual(numbered(rows, before))
      return
    }
    expect(await migrator.up()).toMatchObject({ applied: [expect.stringMatching(/_change$/)], differences: [] })
    expect(await migrator.diff()).toEqual({ differences: [], needMigration: [], leftovers: [] })
    expect(await rowsOf(after)).toEqual(numbered(outcome, after))

    // 3. And back again.
    if (back instanceof RegExp) {
      expect(await rejectionOf(migrator.down())).toMatchObject({ code: 'migration_refused', message: expect.stringMatching(back) })
      expect(await rowsOf(after)).toEqual(numbered(outcome, after))
      return
    }
    expect(await migrator.down()).toHaveLength(1)
    expect(await rowsOf(before)).toEqual(numbered(back, before))
  })
})
