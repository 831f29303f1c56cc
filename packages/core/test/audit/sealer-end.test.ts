import { defineModel, ModelAccessor, openStorage } from '@strongroom/core'
import { describeEngines, needs } from '@strongroom/testkit'
import pg from 'pg'
import { Type } from 'typebox'
import { expect, onTestFinished, test } from 'vitest'
import { AuditHead, AuditLog } from '../../src/audit/audit-log.ts'
import { Sealer } from '../../src/audit/sealer.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { BoundTable } from '../../src/query/bound-table.ts'
import { rejectionOf, storagesOn } from '../support.ts'

const Note = defineModel('notes', { text: Type.String() })

/** Another program keeps the head of the log until it rolls back. */
async function holdHead(url: string): Promise<pg.Client> {
  const other = new pg.Client(url)
  await other.connect()
  onTestFinished(() => other.end())
  await other.query('BEGIN; SELECT FROM strongroom_audit_head FOR UPDATE')
  return other
}

describeEngines('the end of a storage', (engine) => {
  const open = storagesOn(engine)

  test('leaves every entry with its place, where nobody else is in the way', async () => {
    const url = await engine.freshUrl()
    const notes = new ModelAccessor(Note, 'notes')
    const storage = await openStorage({ url, accessors: [notes] })
    await notes.insertMany(Array.from({ length: 1_100 }, (_, index) => ({ text: `note ${index}` })))
    await storage.close()
    const again = await open([new ModelAccessor(Note, 'notes')], { url })
    expect(await again.audit.verify()).toMatchObject({ entries: 1_100, unsealed: 0, fault: null })
  })

  needs(engine, 'overlappingUnits', () => {
    test('waits for nobody who keeps the head of the log, and the next one seals what was left', async () => {
      const url = await engine.freshUrl()
      const notes = new ModelAccessor(Note, 'notes')
      const storage = await open([notes], { url })
      await storage.audit.waitUntilSealed()
      const other = await holdHead(url)
      await notes.insert({ text: 'not sealed' })

      const opened = await openEngine(url, { sqlite: {}, postgres: {} })
      const tables = { log: new BoundTable(AuditLog, opened), head: new BoundTable(AuditHead, opened) }
      const told: string[] = []
      const logger = { info: (text: string) => void told.push(text), warn: () => undefined, error: () => expect.unreachable() }
      const sealer = new Sealer({ ...tables, logger, onSealed: () => expect.unreachable(), closingTime: 50 })
      const sealing = rejectionOf(sealer.seal(new Date()))
      await sealer.close()
      expect(await sealing).toMatchObject({ code: 'storage_closed' })
      expect(await rejectionOf(sealer.seal())).toMatchObject({ code: 'storage_closed' })
      await opened.close()
      expect(told).toEqual([expect.stringContaining('left for whoever opens')])

      await other.query('ROLLBACK')
      await storage.audit.waitUntilSealed()
      expect(await storage.audit.verify()).toMatchObject({ entries: 1, unsealed: 0, fault: null })
    })

    test('whoever asks for the order of the log waits for a seal that is under way, for longer than for a connection', async () => {
      const url = await engine.freshUrl()
      const notes = new ModelAccessor(Note, 'notes')
      const storage = await open([notes], { url, postgres: { poolSize: 1, connectWait: 500 } })
      await storage.audit.waitUntilSealed()
      const other = await holdHead(url)
      await notes.insert({ text: 'sealed later' })
      const waiting = Promise.all([storage.audit.waitUntilSealed(), storage.audit.waitUntilSealed()])
      waiting.catch(() => undefined)
      const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const holding = storage.transaction(async () => {
        begun.resolve()
        await goOn.promise
      })
      await begun.promise
      expect(await rejectionOf(notes.count())).toMatchObject({ code: 'storage_busy' })
      goOn.resolve()
      await holding
      await other.query('ROLLBACK')
      await waiting
      expect(await storage.audit.verify()).toMatchObject({ entries: 1, unsealed: 0, fault: null })
    })
  })
})
