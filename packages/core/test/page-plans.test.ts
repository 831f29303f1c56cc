import { DateTime, defineModel } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine, Statement } from '../src/engine/engine.ts'
import { openEngine } from '../src/engine/open-engine.ts'
import { BoundTable } from '../src/query/bound-table.ts'
import { writeCursor } from '../src/query/cursor.ts'
import { parseOrder } from '../src/query/order.ts'
import { selectPage } from '../src/query/page.ts'
import { parseWhere } from '../src/query/where.ts'
import { prepareSchema } from '../src/schema/prepare-schema.ts'
import { runTask } from '../src/session/task.ts'
import { explain } from './explain.ts'

const fields = { role: Type.String(), created: DateTime(), seen: Type.Optional(DateTime()) }
const options = { indexes: [['role', 'created'], ['role', 'seen'], ['role']] } as const
const models = {
  'a counted id': defineModel('people', fields, options),
  'an id of text': defineModel('members', fields, { ...options, id: 'uuid' }),
}
const orders = { created: 'created', 'created, downwards': '-created', 'a field that can be null': 'seen', 'nothing but the id': 'id' }
const place = { id: 7, role: 'admin', created: new Date('2026-01-01T00:00:00Z'), seen: new Date('2026-01-01T00:00:00Z') }

/** All statements that a page can take: nothing is found, so it seeks to the end. */
async function statementsOf(
  engine: Engine,
  ask: (connection: Parameters<typeof selectPage>[1]) => ReturnType<typeof selectPage>,
): Promise<Statement[]> {
  const statements: Statement[] = []
  await engine.read((connection) => {
    const listening = Object.assign(Object.create(connection), {
      all: (statement: Statement) => {
        statements.push(statement)
        return connection.all(statement)
      },
    })
    return runTask(ask(listening))
  })
  return statements
}

describeEngines('a page of a filter and an order comes straight from an index that has both', (engine) => {
  let opened: Engine
  beforeAll(async () => {
    opened = await openEngine(await engine.freshUrl(), { sqlite: {}, postgres: {} })
    await prepareSchema(opened, Object.values(models), { createTables: true })
  })
  afterAll(() => opened.close())

  for (const [what, model] of Object.entries(models)) {
    describe(`with ${what}`, () => {
      for (const [by, orderBy] of Object.entries(orders)) {
        const keys = parseOrder(model, orderBy)
        const cursor = writeCursor(model, keys, what === 'a counted id' ? place : { ...place, id: '0190163d-8694-739b-aea5-966c26f8ad91' })
        test.each(Object.entries({ 'the first': {}, 'after a cursor': { after: cursor }, 'before a cursor': { before: cursor } }))(
          `by ${by}: %s`,
          async (_title, start) => {
            const question = { filter: parseWhere(model, { role: 'admin' }), includeDeleted: false, keys, limit: 100, ...start }
            const statements = await statementsOf(opened, (connection) =>
              selectPage(new BoundTable(model, opened), connection, undefined, question),
            )
            for (const statement of statements) {
              const plan = await explain(opened, statement)
              expect(plan, statement.sql).not.toMatch(/temp b-tree|\bsort\b|seq scan|SCAN \w+$/im)
              expect(plan, statement.sql).toMatch(/role/)
              // What is compared with the place is where the walk begins, and no condition on rows that it passes.
              expect(plan, statement.sql).not.toMatch(/^\s*Filter/m)
            }
          },
        )
      }
    })
  }
})
