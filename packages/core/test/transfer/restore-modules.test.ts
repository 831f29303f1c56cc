import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DateTime, Default, defineModel, Int64, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Database from 'better-sqlite3'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { verifyUnwritten } from '../../src/evidence/verify.ts'
import type { AnyModel } from '../../src/model/model.ts'
import { restoreFrom } from '../../src/transfer/restore/restore.ts'
import { type RestoreModule, restoreModules } from '../../src/transfer/restore/restore-modules.ts'
import { Transfers } from '../../src/transfer/transfers.ts'
import { rejectionOf, storagesOn } from '../support.ts'

const fields = {
  name: Type.String(),
  live: Default(Type.Boolean(), true),
  weight: Default(Int64(), 0n),
  version: Default(Type.Integer(), 1),
  ended_at: Type.Optional(DateTime()),
}
const Family = defineModel('families', fields)
const Session = defineModel('sessions', fields)
const Revocation = defineModel('revocations', { token: Type.String(), why: Type.String() }, { unique: [['token']] })

describeEngines('the modules of a restore', (engine) => {
  const open = storagesOn(engine)
  const start = async () => {
    const families = new ModelAccessor(Family, 'families')
    const revocations = new ModelAccessor(Revocation, 'revocations')
    const url = await engine.freshUrl()
    const sessions = new ModelAccessor(Session, 'sessions')
    const storage = await open([families, revocations, sessions], { url })
    const backUp = async (): Promise<string> => {
      const path = join(await mkdtemp(join(tmpdir(), 'modules-')), 'backup.sqlite')
      await storage.backup(path)
      return path
    }
    /** As another process would. */
    const elsewhere = async <T>(work: (engine: Engine) => Promise<T>): Promise<T> => {
      const other = await openEngine(url, { sqlite: {}, postgres: {} })
      try {
        return await work(other)
      } finally {
        await other.close()
      }
    }
    const models: AnyModel[] = [Family, Revocation, Session]
    const restoreWith = (modules: readonly RestoreModule[], file: string) =>
      elsewhere((other) => {
        const transfers = new Transfers()
        return restoreFrom({ engine: other, models, transfers, modules, verify: (staged) => verifyUnwritten(staged, transfers) }, file, {})
      })
    const change = (sql: string) => elsewhere((other) => other.define(async (connection) => connection.run({ sql, parameters: [] })))
    return { families, revocations, sessions, storage, backUp, restoreWith, change }
  }

  test('carry rows over, merge them by their keys, and end them: of the file before, of all afterwards', async () => {
    const { families, revocations, sessions, backUp, restoreWith } = await start()
    await families.insert({ name: 'forgotten since' })
    await revocations.insertMany(['a', 'b', 'c'].map((token) => ({ token, why: 'file' })))
    await sessions.insertMany([{ name: 'old' }, { name: 'd' }])
    const file = await backUp()
    await families.deleteMany({})
    await revocations.deleteMany({})
    await sessions.deleteMany({})
    const kept = await families.insert({ name: 'new', weight: 2n ** 62n + 1n, ended_at: new Date(5) })
    await revocations.insertMany([
      { token: 'b', why: 'live' },
      { token: 'd', why: 'live' },
      { token: 'e', why: 'not these' },
    ])
    await sessions.insert({ name: 'running' })
    const before = Date.now()
    await restoreWith(
      [
        { name: 'families', carry: [{ table: 'families', how: 'replace' }] },
        { name: 'revocations', carry: [{ table: 'revocations', how: 'merge', key: ['token'], where: `"why" = 'live'` }] },
        {
          name: 'sessions',
          end: [
            { table: 'sessions', rows: 'file', where: `"live" = TRUE`, set: { live: false, weight: 7n }, stamp: ['ended_at', 'version'] },
            { table: 'sessions', rows: 'all', where: `"name" IN (SELECT "token" FROM "revocations")` },
          ],
          carry: [{ table: 'sessions', how: 'merge' }],
        },
      ],
      file,
    )
    // To the last bit.
    expect(await families.all()).toEqual([kept])
    const merged = (await revocations.all()).map(({ token, why }) => `${token} ${why}`)
    expect(merged.sort()).toEqual(['a file', 'b live', 'c file', 'd live'])
    const rows = await sessions.all()
    expect(rows).toMatchObject([
      { name: 'old', live: false, weight: 7n },
      { name: 'running', live: true, weight: 0n, ended_at: null },
    ])
    expect(rows[0]?.ended_at?.getTime()).toBeGreaterThanOrEqual(before)
    expect(rows.map(({ version }) => version)).toEqual([rows[0]?.ended_at?.getTime(), 1])
  })

  test('refuse a file for what it holds, before anything is changed', async () => {
    const { families, backUp, restoreWith } = await start()
    await families.insert({ name: 'bad' })
    const file = await backUp()
    await families.update(1, { name: 'good' })
    const check = (where: string, sentence: string) => ({ table: 'families', where, code: 'state_conflict' as const, sentence })
    const checks = [check(`"name" = 'good'`, 'It is good.'), check(`"name" = 'bad'`, 'It holds a bad family.')]
    expect(await rejectionOf(restoreWith([{ name: 'families', check: checks }], file))).toMatchObject({
      code: 'state_conflict',
      message: 'It holds a bad family.',
    })
    expect(await families.all()).toMatchObject([{ name: 'good' }])
  })

  test('of the library keep the lists of jobs and scheduled backups as they are now, and nothing of them runs', async () => {
    const { storage, backUp, restoreWith, change } = await start()
    const file = await backUp()
    const job = (
      id: number,
    ) => `INSERT INTO strongroom_jobs (id, kind, state, actor, started_at, progress, owner, lease_until, cancel_requested, row_version)
      VALUES ('00000000-0000-4000-8000-00000000000${id}', 'import', 'running', 'a', '2026-01-01T00:00:00.000Z', '{}', 'o', '2126-01-01T00:00:00.000Z', FALSE, 'v')`
    const edited = new Database(file)
    // The backup stands in itself as one that is under way.
    edited.exec(`INSERT INTO strongroom_backups (name, place, started_at, owner, lease_until, row_version)
      VALUES ('n', 'p', '2026-01-01T00:00:00.000Z', 'o', '2126-01-01T00:00:00.000Z', 'v')`)
    edited.exec(job(1))
    edited.close()
    await change(job(2))
    await restoreWith(restoreModules, file)
    expect(await storage.backups()).toEqual([])
    expect(await storage.jobs.list()).toMatchObject([
      { id: '00000000-0000-4000-8000-000000000002', state: 'failed', error: { code: 'state_conflict' }, finishedAt: expect.any(Date) },
    ])
  })
})
