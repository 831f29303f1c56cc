import { generateKeyPairSync } from 'node:crypto'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeEngines } from '@strongroom/testkit'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshFolder, models, startServer, strongroom } from './support.ts'

const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string

describeEngines('a command', (engine) => {
  let server: Awaited<ReturnType<typeof startServer>>
  beforeAll(async () => {
    server = await startServer(engine, { auditCheckpoints: { key } })
  })
  afterAll(() => server.app.close())

  describe.each(['server', 'database'] as const)('against a %s', (kind) => {
    const target = () => (kind === 'server' ? server.url : server.databaseUrl)
    const withModels = kind === 'server' ? [] : ['--accessors', models]

    test('backs up into a file of its owner that holds everything', async () => {
      const file = join(await freshFolder(), 'b.sqlite')
      const { code, json } = await strongroom(['backup', target(), '-o', file, '--json', ...withModels])
      expect([code, json]).toEqual([0, { status: 'ok', file, bytes: statSync(file).size }])
      expect(statSync(file).mode & 0o777).toBe(0o600)
      expect(new Database(file, { readonly: true }).prepare('SELECT title FROM tasks').all()).toContainEqual({ title: 'Look' })
    })

    test('exports tables, with secrets where that is said', async () => {
      const folder = await freshFolder()
      const [zip, db] = [join(folder, 'x.zip'), join(folder, 'new.db')]
      const made = await strongroom([
        'export',
        target(),
        '-o',
        zip,
        '--secrets',
        'include',
        '--tables',
        'users',
        '--tables=tasks',
        ...withModels,
      ])
      expect([made.code, made.stdout]).toEqual([0, expect.stringContaining('x.zip: export of ')])
      const read = await strongroom(['import', zip, '--into', db, '--accessors', models, '--create', '--json'])
      expect(read.json).toMatchObject({ applied: true, skipped: [], tables: [{ table: 'users', rows: 1 }, { table: 'tasks' }] })
      expect(new Database(db, { readonly: true }).prepare('SELECT password_hash FROM users').all()).toEqual([{ password_hash: 'canary' }])
    })

    test('draws the tables to standard output', async () => {
      const dot = await strongroom(['diagram', target(), '--format', 'dot', '--system', ...withModels])
      expect([dot.code, dot.stdout]).toEqual([0, await server.storage.diagram({ format: 'dot', system: true })])
    })

    test('reads the audit log by all of its filters', async () => {
      const entries = await server.storage.audit.find({ limit: 3 })
      const { code, stdout } = await strongroom(['audit', target(), '--json', '--limit', '3'])
      const lines = stdout.trimEnd().split('\n')
      expect([code, lines.map((line) => JSON.parse(line))]).toEqual([0, JSON.parse(JSON.stringify(entries))])
      const filters = { component: 'users', actor: 'olga', operation: 'update', 'record-id': '1', since: '2020-01-01', until: '9999-01-01' }
      const chosen = await strongroom([
        'audit',
        target(),
        '--json',
        ...Object.entries(filters).map(([name, value]) => `--${name}=${value}`),
      ])
      expect(JSON.parse(chosen.stdout)).toMatchObject({ actor: 'olga', operation: 'update' })
      expect((await strongroom(['audit', target(), '--json', '--request-id', 'none'])).stdout).toBe('')
    })

    test('verifies the audit log, with checkpoints and without', async () => {
      const whole = await strongroom(['audit', 'verify', target()])
      expect([whole.code, whole.stdout]).toEqual([
        0,
        expect.stringMatching(/^The log is whole up to position \d+: [\s\S]*held against no checkpoint/),
      ])
      const checkpoint = await server.storage.audit.checkpoint()
      const file = join(await freshFolder(), 'checkpoints.jsonl')
      writeFileSync(file, `${JSON.stringify(checkpoint)}\n${JSON.stringify(checkpoint)}\n`)
      const held = await strongroom(['audit', 'verify', target(), '--checkpoint', file, '--public-key', checkpoint.public_key, '--json'])
      expect([held.code, held.json]).toMatchObject([0, { ok: true, checkpoints: [{ finding: 'holds' }, { finding: 'holds' }] }])
      writeFileSync(file, JSON.stringify({ ...checkpoint, size: checkpoint.size + 1 }))
      expect((await strongroom(['audit', 'verify', target(), '--checkpoint', file])).code).toBe(2)
      expect((await strongroom(['audit', 'verify', target(), '--checkpoint', `${file}.not`])).code).toBe(2)
      expect((await strongroom(['audit', 'verify', target(), '--public-key', 'x'])).code).toBe(2)
    })

    test('tells the history of a record, and takes the record back', async () => {
      const user = await server.users.insert({ name: 'Ida' }, { actor: 'olga' })
      await server.users.update(user.id, { name: 'Ivy' }, { actor: 'olga' })
      await server.storage.audit.waitUntilSealed()
      const [last, first] = await server.users.history(user.id)
      const told = await strongroom(['history', 'users', String(user.id), target(), '--json'])
      expect(
        told.stdout
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line)),
      ).toEqual(JSON.parse(JSON.stringify([last, first])))
      expect((await strongroom(['history', 'users', String(user.id), target(), '--limit', '1'])).stdout).toContain('name: "Ida" → "Ivy"')
      const back = ['revert', 'users', String(user.id), '--to', String(first?.id), '--into', target(), '--user', 'eve', ...withModels]
      expect((await strongroom([...back, '--dry-run'])).stdout).toMatch(
        /^A dry run: nothing was changed\. users\/\d+ would be\n.*\nname +"Ida"/,
      )
      expect((await server.users.get(user.id))?.name).toBe('Ivy')
      expect((await strongroom([...back, '--json'])).json).toEqual({ id: user.id, name: 'Ida' })
      expect(await server.users.history(user.id, { limit: 1 })).toMatchObject([{ actor: 'eve', after: { name: 'Ida' } }])
      const late = await strongroom(['revert', 'users', String(user.id), '--to', '2020-01-01', '--into', target(), '--json', ...withModels])
      expect([late.code, late.json.error.code]).toEqual([3, 'state_conflict'])
      for (const wrong of [['users'], ['users', '1'], ['users', '1', '--to', 'then']])
        expect((await strongroom(['revert', ...wrong, '--into', target(), ...withModels])).code).toBe(2)
      await server.users.delete(user.id)
    })

    test('undoes what a request did, and what somebody did', async () => {
      const requestId = `too much for a ${kind}`
      const [one] = await server.users.insertMany([{ name: 'Max' }, { name: 'Moritz' }], { actor: `mallory of ${kind}`, requestId })
      const undo = (...args: string[]) => strongroom(['revert', ...args, '--into', target(), ...withModels])
      expect((await undo('--request', requestId, '--dry-run')).stdout).toMatch(/users +0 +0 +0 +2 +0\nA dry run: nothing was changed\.\n$/)
      await server.users.update(one?.id ?? 0, { name: 'Maximilian' }, { actor: 'helen' })
      const refused = await undo('--request', requestId)
      expect([refused.code, `${refused.stdout}${refused.stderr}`]).toEqual([3, expect.stringContaining('changed later by helen')])
      expect(await server.users.count({ name: { startsWith: 'M' } })).toBe(2)
      const done = await undo('--actor', `mallory of ${kind}`, '--since', '2020-01-01', '--skip-conflicts', '--json')
      expect(done.json).toMatchObject({ applied: true, components: [{ deleted: 1 }], conflict_count: 1 })
      expect((await undo('--request', done.json.request_id)).stdout).toContain('Undone. To undo that: strongroom revert --request ')
      for (const wrong of [
        [],
        ['--actor', 'a'],
        ['--request', 'a', '--batch', 'b'],
        ['--to', '7'],
        ['users', '1', '--to', '7', '--batch', 'b'],
      ])
        expect((await undo(...wrong)).code).toBe(2)
      await server.users.deleteMany({ name: { startsWith: 'M' } })
    })

    test('refuses to restore a file that is no backup', async () => {
      const file = join(await freshFolder(), 'b.sqlite')
      writeFileSync(file, 'no database')
      const { code, json, stderr } = await strongroom(['restore', file, '--yes', '--json', '--into', target(), ...withModels])
      expect([code, json.error.code, json.error.status]).toEqual([3, 'validation_failed', 422])
      expect(stderr).toMatch(/^strongroom: This file cannot be restored/)
    })

    test('imports all or nothing, and says what is wrong where', async () => {
      const folder = await freshFolder()
      const [good, bad] = [join(folder, 'tasks.csv'), join(folder, 'bad.csv')]
      writeFileSync(good, `title\n${kind} one\n${kind} two\n`)
      writeFileSync(bad, 'title,owner_id\nfine,1\nnot fine,someone\n')
      const into = ['--into', target(), ...withModels]

      const faulty = await strongroom(['import', `tasks=${bad}`, ...into])
      expect([faulty.code, faulty.stdout]).toEqual([3, expect.stringMatching(/line 3, owner_id: .*\n1 fault. Nothing was written/)])
      const dry = await strongroom(['import', good, '--dry-run', '--json', ...into])
      expect([dry.code, dry.json]).toMatchObject([0, { applied: false, dry_run: true, errors: [] }])
      expect(await server.tasks.count({ title: { startsWith: kind } })).toBe(0)

      const done = await strongroom(['import', good, '--user', 'ida', '--json', ...into])
      expect([done.code, done.json]).toMatchObject([0, { applied: true, dry_run: false, tables: [{ inserted: 2 }], error_count: 0 }])
      expect(await server.tasks.count({ title: { startsWith: kind } })).toBe(2)
      expect(await server.storage.audit.findOne({ component: 'tasks' })).toMatchObject({ actor: 'ida' })
    })
  })

  test('restores, and back again, from either side', async () => {
    const file = join(await freshFolder(), 'b.sqlite')
    await strongroom(['backup', server.url, '-o', file])
    const late = await server.tasks.insert({ title: 'Late' }, { actor: 'olga' })

    const done = await strongroom(['restore', file, '--into', server.url, '--user', 'ida', '--json', '--yes'])
    expect([done.code, done.json.restored, done.json.since.entries]).toEqual([0, true, 1])
    expect(await server.tasks.exists({ id: late.id })).toBe(false)
    expect(await server.storage.audit.findOne({ operation: 'restore_database' })).toMatchObject({ actor: 'ida' })

    const undone = await strongroom(['restore', '--undo', '--yes', '--json', '--into', server.databaseUrl, '--accessors', models])
    expect([undone.code, Object.keys(undone.json)]).toEqual([0, Object.keys(done.json)])
    expect(await server.tasks.exists({ id: late.id })).toBe(true)
  })

  test('tells the health of a server and of its database in one form', async () => {
    const [first, second] = [await strongroom(['health', server.url, '--json']), await strongroom(['health', server.databaseUrl, '--json'])]
    expect([first.code, second.code]).toEqual([0, 0])
    expect(Object.keys(second.json)).toEqual(Object.keys(first.json))
    expect(second.json.audit).toEqual(first.json.audit)
  })

  test('without a server says when it needs the models', async () => {
    const file = join(await freshFolder(), 'b.sqlite')
    const { databaseUrl } = server
    if (engine.has('oneFile')) expect((await strongroom(['backup', databaseUrl, '-o', join(await freshFolder(), 'b.sqlite')])).code).toBe(0)
    const needing = [
      ['export', databaseUrl, '-o', file],
      ['diagram', databaseUrl],
      ['import', `users=${models}`, '--into', databaseUrl],
      ['restore', models, '--yes', '--into', databaseUrl],
    ]
    if (!engine.has('oneFile')) needing.push(['backup', databaseUrl, '-o', file])
    for (const args of needing) {
      const { code, stderr } = await strongroom(args)
      expect([args[0], code, stderr]).toEqual([args[0], 2, expect.stringContaining('needs the models: --accessors ./models.ts')])
    }
  })
})
