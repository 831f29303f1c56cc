import { checkProof, defineModel, ModelAccessor, type Storage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, onTestFinished, test } from 'vitest'
import { openLog } from '../../src/audit/log.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { storagesOn } from '../support.ts'
import { forge } from './forge.ts'
import { type Row, rawDatabase, tamper } from './raw-database.ts'

const Note = defineModel('notes', { text: Type.String() })
const Letter = defineModel('letters', { text: Type.String() })
const log = 'strongroom_audit_log'
const head = 'strongroom_audit_head'

/** Which ids the entries of a log from elsewhere have: where seals gave the positions, these are in another order. */
const strayings = {
  'all ids are higher': 'id + 1000',
  'some ids are higher, the last is not': 'CASE WHEN seq % 3 = 1 AND seq < 20 THEN id + 1000 ELSE id END',
  'ids run the other way': '2000 - id',
}

describeEngines('a log whose ids are not its positions', (engine) => {
  const open = storagesOn(engine)

  for (const [what, ids] of Object.entries(strayings)) {
    test(`is read, proved and gone on with by positions where ${what}`, async () => {
      const url = await engine.freshUrl()
      const notes = new ModelAccessor(Note, 'notes')
      const letters = new ModelAccessor(Letter, 'letters')
      const first = await open([notes, letters], { url })
      for (let at = 0; at < 12; at++) {
        await notes.insert({ text: `n${at}` })
        await letters.insert({ text: `l${at}` })
        await first.audit.waitUntilSealed()
      }
      await first.close()
      await tamper(
        url,
        `CREATE TEMP TABLE strayed AS SELECT id AS was, ${ids} AS id FROM ${log}`,
        `UPDATE ${log} SET id = id + 100000`,
        `UPDATE ${log} SET id = (SELECT strayed.id FROM strayed WHERE was = ${log}.id - 100000)`,
        engine.has('oneFile')
          ? `UPDATE sqlite_sequence SET seq = (SELECT max(id) FROM ${log}) WHERE name = '${log}'`
          : `SELECT setval(pg_get_serial_sequence('${log}', 'id'), (SELECT max(id) FROM ${log}))`,
        `UPDATE ${head} SET last_entry = (SELECT max(id) FROM ${log})`,
      )
      await forge(url)
      const [noted, lettered] = [new ModelAccessor(Note, 'notes'), new ModelAccessor(Letter, 'letters')]
      const storage = await open([noted, lettered], { url, retention: { keep: { '*': { entries: 5 } } } })
      await noted.insert({ text: 'after' })
      await storage.transaction(async () => {
        await lettered.insert({ text: 'after' })
        await lettered.update(1, { text: 'after' })
      })
      await expectWhole(url, storage, { from: 1, through: 27 })
      const { removed } = await storage.retain()
      expect(removed).toBeGreaterThan(12)
      await noted.insert({ text: 'later' })
      await expectWhole(url, storage, { from: removed + 1, through: 28 })
    })
  }

  /** Everything that is found by positions is there, once and in their order. */
  const expectWhole = async (url: string, storage: Storage, { from, through }: { from: number; through: number }): Promise<void> => {
    await storage.audit.waitUntilSealed()
    const positions = Array.from({ length: through - from + 1 }, (_, index) => from + index)
    expect(await storage.audit.verify()).toMatchObject({ ok: true, entries: positions.length, position: through })
    expect(await storage.health()).toMatchObject({ audit: { sealLag: 0 } })
    const told: unknown[] = []
    for (let after = 'start'; ; ) {
      const page = await storage.feed.page({ after, limit: 7 })
      told.push(...page.changes.map(({ entry }) => entry.position))
      after = page.next
      if (page.isLast) break
    }
    expect(told).toEqual(positions)
    const raw = await rawDatabase(url)
    const rows = await raw.all(`SELECT id, seq, CAST(effective_at AS text) AS effective_at FROM ${log} ORDER BY seq`)
    await raw.close()
    expect(rows.map(({ seq }) => Number(seq))).toEqual(positions)
    const opened = await openEngine(url, { sqlite: {}, postgres: {} })
    onTestFinished(() => opened.close())
    const { order } = openLog(opened, { logger: console, isInside: () => false })
    const timeOf = ({ effective_at: time }: Row): number => new Date(String(time)).getTime()
    for (const row of rows) {
      const { id, seq } = row
      const proof = await storage.audit.proof(Number(id))
      expect([proof.position, checkProof(proof)]).toEqual([Number(seq), true])
      const last = rows.findLast((other) => timeOf(other) <= timeOf(row))
      expect(await order.positionAt(new Date(timeOf(row)))).toBe(Number(last?.['seq']))
    }
    expect(await order.positionAt(new Date(0))).toBe(0)
  }
})
