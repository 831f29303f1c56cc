import { defineModel, Ref } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Link } from '../src/accessor/bound-accessor.ts'
import { type Inclusion, includeRows } from '../src/accessor/include.ts'
import type { Engine, Statement } from '../src/engine/engine.ts'
import { openEngine } from '../src/engine/open-engine.ts'
import { BoundTable } from '../src/query/bound-table.ts'
import { prepareSchema } from '../src/schema/prepare-schema.ts'
import { runTask } from '../src/session/task.ts'
import { explain } from './explain.ts'

const Person = defineModel('people', { name: Type.String() })
const Task = defineModel('tasks', { title: Type.String(), owner_id: Type.Optional(Ref(() => Person)) }, { softDelete: true })

describeEngines('reading along', (engine) => {
  let opened: Engine
  beforeAll(async () => {
    opened = await openEngine(await engine.freshUrl(), { sqlite: {}, postgres: {} })
    await prepareSchema(opened, [Person, Task], { createTables: true })
  })
  afterAll(() => opened.close())

  /** The statements that it takes to include something in so many records. */
  async function statementsFor(records: number, side: Inclusion['side'], includeAtMost?: number): Promise<Statement[]> {
    const statements: Statement[] = []
    const bound = (model: typeof Person | typeof Task) => ({ model, table: new BoundTable(model, opened) })
    // Reading along asks no more of accessors than their model and table.
    const link = { field: Task.fieldsByName.get('owner_id'), source: bound(Task), target: bound(Person) } as unknown as Link
    const rows = Array.from({ length: records }, (_, index) => ({ id: index + 1, owner_id: index + 1 }))
    await opened.read((connection) => {
      const listening = Object.assign(Object.create(connection), {
        all: (statement: Statement) => {
          statements.push(statement)
          return connection.all(statement)
        },
      })
      const caller = { principal: undefined, tenant: null, access: 'system' as const }
      return runTask(includeRows(listening, caller, rows, { inclusions: [{ name: 'along', link, side }], includeAtMost }))
    })
    return statements
  }

  test.each(['one', 'many'] as const)('takes one statement for %s, however many records there are', async (side) => {
    expect(await statementsFor(1, side)).toHaveLength(1)
    expect(await statementsFor(1000, side, 10_000)).toHaveLength(1)
  })

  test('a cap stands in the statement, which reads one record more and walks an index to there', async () => {
    const [statement] = await statementsFor(100, 'many', 5)
    expect(statement?.sql).toMatch(/limit/i)
    expect(statement?.parameters).toContain(6)
    const plan = statement && (await explain(opened, statement))
    expect(plan).toMatch(/tasks__owner_id/)
    // Nothing is sorted: the walk ends where enough was found.
    expect(plan).not.toMatch(/temp b-tree|\bsort\b/i)
  })
})
