import { type AnyModel, ModelAccessor, openStorage } from '@strongroom/core'
import { describeEngines, type TestEngine } from '@strongroom/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openEngine } from '../../src/engine/open-engine.ts'
import { definitionOf } from '../../src/schema/definition/definition-of.ts'
import { liveDefinition } from '../../src/schema/diff/live-definition.ts'
import { blocking, diffSchema, leftovers, type SchemaDiff } from '../../src/schema/diff/schema-diff.ts'
import { randomModels } from './random-models.ts'

async function make(engine: TestEngine, models: readonly AnyModel[]): Promise<string> {
  const url = await engine.freshUrl()
  const storage = await openStorage({ url, accessors: models.map((model) => new ModelAccessor(model, model.name)) })
  await storage.close()
  return url
}

describeEngines('the difference between models and tables', (engine) => {
  test('is none where the tables were made from these models, whether that is remembered or not', async () => {
    await fc.assert(
      fc.asyncProperty(randomModels, async (models) => {
        const url = await make(engine, models)
        const opened = await openEngine(url, { sqlite: {}, postgres: { poolSize: 1 } })
        const diff = (): Promise<SchemaDiff> => Promise.resolve(opened.read((connection) => diffSchema(opened, connection, models)))
        try {
          const known = await diff()
          expect([...blocking(known), ...leftovers(known), ...known.unremembered.map(({ name }) => name)]).toEqual([])
          await opened.define(async (connection) => void (await connection.run({ sql: 'DELETE FROM strongroom_tables', parameters: [] })))
          const forgotten = await diff()
          expect([...blocking(forgotten), ...leftovers(forgotten)]).toEqual([])
        } finally {
          await opened.close()
        }
      }),
      { numRuns: 25 },
    )
  })

  test('is told from the tables themselves: what stands reads as what was wanted', async () => {
    await fc.assert(
      fc.asyncProperty(randomModels, async (models) => {
        const url = await make(engine, models)
        const opened = await openEngine(url, { sqlite: {}, postgres: { poolSize: 1 } })
        try {
          const live = await opened.read((connection) => opened.inspect(connection))
          for (const model of models) {
            const table = live.find(({ name }) => name === model.name)
            const wanted = definitionOf(model)
            const read = table && liveDefinition(table, wanted, opened)
            expect(read?.id).toEqual(wanted.id)
            expect(Object.fromEntries(Object.entries(read?.fields ?? {}).toSorted())).toEqual(
              Object.fromEntries(Object.entries(wanted.fields).toSorted()),
            )
            expect(read?.indexes?.length ?? 0).toBe(wanted.indexes?.length)
          }
        } finally {
          await opened.close()
        }
      }),
      { numRuns: 15 },
    )
  })
})
