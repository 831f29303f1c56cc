import { describeEngines } from '@strongroom/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { entriesSince, historyKeys, stateColumns } from '../src/accessor/past/past-images.ts'
import { type AuditPage, auditSelection } from '../src/audit/audit-accessor.ts'
import { AuditLog } from '../src/audit/audit-log.ts'
import { hasOwnIndex } from '../src/audit/positions.ts'
import type { Engine } from '../src/engine/engine.ts'
import { openEngine } from '../src/engine/open-engine.ts'
import { BoundTable } from '../src/query/bound-table.ts'
import { allOf, everything, type Filter, oneOf } from '../src/query/filter.ts'
import { selectStatement } from '../src/query/select.ts'
import { prepareSchema } from '../src/schema/prepare-schema.ts'
import { explain } from './explain.ts'

const since = new Date('2026-01-01T00:00:00Z')
const questions: Record<string, AuditPage> = {
  'the newest entries': {},
  'one component': { component: 'users' },
  "one record's history": { component: 'users', record_id: 7 },
  'one actor': { actor: 'admin' },
  'one operation': { operation: 'purge' },
  'one actor in a range of time': { actor: 'admin', until: since },
  'one operation in a range of time': { operation: 'purge', since },
  'what one actor did to one component': { actor: 'admin', component: 'users' },
  'one request': { request_id: 'r-1' },
  'one transaction': { transaction_id: 't-1' },
  "one record's history in a range of time": { component: 'users', record_id: 7, since },
  'one request in a range of time': { request_id: 'r-1', since },
  'one transaction in a range of time': { transaction_id: 't-1', since },
  'a range of time': { since, until: new Date('2026-02-01T00:00:00Z') },
}

describeEngines('a page of the audit log comes straight from an index', (engine) => {
  let opened: Engine
  beforeAll(async () => {
    opened = await openEngine(await engine.freshUrl(), { sqlite: {}, postgres: {} })
    await prepareSchema(opened, [], { createTables: true })
  })
  afterAll(() => opened.close())

  test('what came since a moment', async () => {
    for (const filter of entriesSince('users', { position: 1_000 })) {
      const selection = { filter, includeDeleted: true, order: historyKeys, columns: stateColumns, limit: 100 }
      const plan = await explain(opened, selectStatement(new BoundTable(AuditLog, opened), undefined, selection))
      expect(plan).toMatch(engine.name === 'sqlite' ? /component=\? AND seq[>=]\?/ : /Index Cond: [^\n]*component[^\n]*seq/)
      expect(plan).not.toMatch(/temp b-tree|\bsort\b|seq scan/i)
    }
  })

  test('what stands between two positions', async () => {
    const log = new BoundTable(AuditLog, opened)
    const place = (comparison: 'gt' | 'lte', value: number): Filter => ({ type: 'compare', field: 'seq', comparison, value })
    const ofAny = hasOwnIndex(log) ? everything : oneOf('component', ['notes', 'users'])
    const filter = allOf(ofAny, place('gt', 1_000), place('lte', 2_000))
    const order = [{ field: 'seq', descending: false }]
    const plan = await explain(opened, selectStatement(log, undefined, { filter, includeDeleted: true, order, limit: 100 }))
    expect(plan).toMatch(engine.name === 'sqlite' ? /component=\? AND seq>\? AND seq<\?/ : /Index Cond: [^\n]*seq/)
    expect(plan).not.toMatch(/seq scan/i)
  })

  for (const [what, question] of Object.entries(questions)) {
    test(what, async () => {
      const statement = selectStatement(
        new BoundTable(AuditLog, opened),
        undefined,
        auditSelection({ ...question, limit: 100 }, opened.capabilities),
      )
      const plan = await explain(opened, statement)
      expect(plan).not.toMatch(/temp b-tree|\bsort\b|seq scan/i)
      // It leaves out entries of no request, and may be used for a value that is not known yet.
      if (question.request_id !== undefined) expect(plan).toContain('strongroom_audit_log__request_id__id__idx')
    })
  }

  test('entries of no request take no part in the index of requests', async () => {
    const tables = await opened.read((connection) => opened.inspect(connection))
    const ofLog = tables.find(({ name }) => name === AuditLog.name)?.indexes ?? []
    expect(ofLog.filter(({ presentOnly }) => presentOnly).map(({ columns }) => columns)).toEqual([['request_id', 'id']])
  })
})
