import { generateKeyPairSync } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Checkpoint,
  ConflictError,
  checkProof,
  defineModel,
  ForbiddenError,
  type InclusionProof,
  InvalidQueryError,
  ModelAccessor,
  NotFoundError,
  readCheckpoints,
  type Storage,
  UsageError,
} from '@strongroom/core'
import { describeEngines, tempFolder } from '@strongroom/testkit'
import fc from 'fast-check'
import { Type } from 'typebox'
import { describe, expect, onTestFinished, test } from 'vitest'
import { BlockTree } from '../../src/audit/block-tree.ts'
import { merkleRoot } from '../../src/audit/digest.ts'
import { rejectionOf, storagesOn } from '../support.ts'
import { forge } from './forge.ts'
import { rawDatabase, tamper } from './raw-database.ts'

const Note = defineModel('notes', { text: Type.String() })
const log = 'strongroom_audit_log'
const head = 'strongroom_audit_head'

const newKey = (): string => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const key = newKey()

test('the tree of blocks has the roots of RFC 9162, whatever grew or was kept of it', () => {
  const leaves = Array.from({ length: 40 }, (_, index) => Buffer.alloc(32, index + 1))
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 19 }), fc.boolean(), (kept, more, open) => {
      if (kept + more === 0) return
      let tree = new BlockTree()
      for (const leaf of leaves.slice(0, kept)) tree.append(leaf)
      tree = new BlockTree(kept, tree.kept())
      for (const leaf of leaves.slice(kept, kept + more)) tree.append(leaf)
      const all = leaves.slice(0, kept + more + (open ? 1 : 0))
      expect(Buffer.from(tree.root(open ? leaves[kept + more] : undefined)).toString('hex')).toBe(
        Buffer.from(merkleRoot(all)).toString('hex'),
      )
    }),
  )
})

describeEngines('checkpoints of the audit log', (engine) => {
  const open = storagesOn(engine)

  const house = async () => {
    const url = await engine.freshUrl()
    const notes = new ModelAccessor(Note, 'notes')
    const storage = await open([notes], { url, auditCheckpoints: { key } })
    let written = 0
    /** Writes so many entries, which are sealed together where entries are sealed, and answers what was signed afterwards. */
    const write = async (count: number): Promise<Checkpoint> => {
      await notes.insertMany(Array.from({ length: count }, () => ({ text: `note ${written++}` })))
      return storage.audit.checkpoint()
    }
    return { url, notes, storage, write }
  }

  const findings = async (storage: Storage, checkpoints: readonly Checkpoint[]) => {
    const { ok, fault, checkpoints: held } = await storage.audit.verify({ checkpoints })
    return { ok, fault: fault && [fault.kind, fault.position, fault.through], held: held.map(({ size, finding }) => `${size} ${finding}`) }
  }

  test('hold while the log goes on, within a block and across blocks, in any order', async () => {
    const { storage, write } = await house()
    const empty = await storage.audit.checkpoint()
    const all = [await write(3), await write(300), await write(209), await write(1), empty]
    expect(await findings(storage, all)).toEqual({
      ok: true,
      fault: null,
      held: ['0 holds', '3 holds', '303 holds', '512 holds', '513 holds'],
    })
    expect(new Set(all.map(({ root }) => root)).size).toBe(5)
  })

  test('are signed: a change shows, and so does another key', async () => {
    const { storage, write } = await house()
    const checkpoint = await write(2)
    const verify = (given: Checkpoint, publicKey?: string) => storage.audit.verify({ checkpoints: [given], publicKey })
    expect(await verify(checkpoint, checkpoint.public_key)).toMatchObject({ ok: true })
    for (const change of [
      { size: 1 },
      { epoch: 2 },
      { root: 'ab'.repeat(32) },
      { timestamp: '2020' },
      { origin: 'x' },
      { signature: 'x' },
      { public_key: 'x' },
    ])
      expect(await rejectionOf(verify({ ...checkpoint, ...change }))).toBeInstanceOf(InvalidQueryError)
    expect(await rejectionOf(verify(checkpoint, 'another'))).toBeInstanceOf(ForbiddenError)
    expect(await rejectionOf(storage.actingAs({ tenant: 'red' }, () => storage.audit.checkpoint()))).toBeInstanceOf(ForbiddenError)
  })

  test('are not made without a key, nor with one of another kind', async () => {
    const storage = await open([new ModelAccessor(Note, 'notes')])
    expect(await rejectionOf(storage.audit.checkpoint())).toBeInstanceOf(ConflictError)
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    for (const wrong of [rsa, 'secret', ''])
      expect(await rejectionOf(open([new ModelAccessor(Note, 'notes')], { auditCheckpoints: { key: wrong } }))).toBeInstanceOf(UsageError)
  })

  describe('show what nothing else does:', () => {
    test('a tail that was cut off, with a head that fits', async () => {
      const { storage, url, write } = await house()
      const checkpoints = [await write(3), await write(3)]
      await tamper(url, `DELETE FROM ${log} WHERE id > 4`)
      await forge(url)
      expect(await storage.audit.verify()).toMatchObject({ ok: true, position: 4 })
      expect(await findings(storage, checkpoints)).toEqual({ ok: false, fault: ['cut_off', 5, 6], held: ['3 holds', '6 cut_off'] })
    })

    test('a changed entry, with everything behind it hashed again', async () => {
      const { storage, url, write } = await house()
      const checkpoints = [await write(3), await write(1), await write(4)]
      await tamper(url, `UPDATE ${log} SET actor = 'nobody' WHERE id = 4`)
      await forge(url)
      expect(await storage.audit.verify()).toMatchObject({ ok: true, position: 8 })
      const { ok, fault, held } = await findings(storage, checkpoints)
      expect({ ok, fault, held }).toEqual({ ok: false, fault: ['rewritten', 4, null], held: ['3 holds', '4 differs', '8 not_reached'] })
      expect((await findings(storage, checkpoints.slice(2))).fault).toEqual(['rewritten', 1, 8])
    })

    test('an inserted entry, with everything behind it hashed again', async () => {
      const { storage, url, write } = await house()
      const checkpoints = [await write(4), await write(1), await write(3)]
      const columns =
        'timestamp, component, operation, actor, "before", "after", transaction_id, schema_version, epoch, payload_hash, salt, effective_at'
      await tamper(
        url,
        `UPDATE ${log} SET seq = -seq - 1 WHERE seq >= 5`,
        `UPDATE ${log} SET seq = -seq WHERE seq < 0`,
        `INSERT INTO ${log} (id, seq, row_version, ${columns}) SELECT 100, 5, 'x', ${columns} FROM ${log} WHERE id = 4`,
      )
      await forge(url)
      expect(await storage.audit.verify()).toMatchObject({ ok: true, position: 9 })
      expect(await findings(storage, checkpoints)).toMatchObject({ ok: false, fault: ['rewritten', 5, null] })
    })

    test('another log in its place', async () => {
      const { write } = await house()
      const { storage, write: writeThere } = await house()
      await writeThere(1)
      expect(await findings(storage, [await write(1)])).toMatchObject({
        ok: false,
        fault: ['other_log', null, null],
        held: ['1 other_log'],
      })
    })
  })

  test('of what a restore replaced are told as such, those before and after it hold', async () => {
    const { notes, storage, write } = await house()
    const folder = await tempFolder('checkpoints')
    onTestFinished(folder.remove)
    const kept = await write(2)
    await storage.backup(join(folder.path, 'backup.sqlite'))
    const gone = await write(300)
    await storage.restore(join(folder.path, 'backup.sqlite'))
    await notes.insert({ text: 'after' })
    const after = await storage.audit.checkpoint()
    expect(after).toMatchObject({ epoch: 2, size: 304 })
    expect(await findings(storage, [kept, gone, after])).toEqual({
      ok: true,
      fault: null,
      held: ['2 holds', '302 replaced', '304 holds'],
    })
    const [, entry] = await storage.audit.find({ limit: 2 })
    expect(entry).toMatchObject({ operation: 'restore_database', before: { position: 302, epoch: 1 } })
    const proof = await storage.audit.proof(entry?.id ?? 0, { size: after.size })
    expect([checkProof(proof), proof.root]).toEqual([true, after.root])
  })

  test('are held against a log whose first entries were removed, and whose roots were kept', async () => {
    const { storage, url, write } = await house()
    const [before, at, after] = [await write(10), await write(590), await write(200)]
    const tree = new BlockTree()
    const raw = await rawDatabase(url)
    onTestFinished(() => raw.close())
    const hashes = await raw.all(`SELECT hash FROM ${log} WHERE seq IN (256, 512, 600) ORDER BY seq`)
    for (const { hash } of hashes.slice(0, 2)) tree.append(hash as Uint8Array)
    const text = (value: unknown): string => {
      const hex = Buffer.from(value as Uint8Array).toString('hex')
      return engine.has('oneFile') ? `x'${hex}'` : `'\\x${hex}'::bytea`
    }
    await raw.run(
      `UPDATE ${head} SET retained_below = 601, retained_hash = ${text(hashes[2]?.['hash'])}, retained_roots = ${text(tree.kept())}`,
    )
    await raw.run(`DELETE FROM ${log} WHERE seq < 601`)
    expect(await findings(storage, [before, at, after])).toEqual({
      ok: true,
      fault: null,
      held: ['10 not_retained', '600 holds', '800 holds'],
    })
    const proof = await storage.audit.proof(700, { size: after.size })
    expect([checkProof(proof), proof.root]).toEqual([true, after.root])
    expect(await storage.audit.checkpoint()).toMatchObject({ size: 800, root: after.root })
  })

  describe('proofs of single entries', () => {
    test('lead to the root of any later checkpoint, and no change to one does', async () => {
      const { notes, storage, write } = await house()
      const checkpoints = [await write(1), await write(120), await write(400), await write(600)]
      await Promise.all(Array.from({ length: 30 }, (_, index) => notes.insert({ text: `single ${index}` })))
      checkpoints.push(await storage.audit.checkpoint())
      for (const id of [1, 2, 121, 255, 256, 257, 512, 521, 522, 1_024, 1_121, 1_151]) {
        for (const { size, root } of checkpoints) {
          const asked = storage.audit.proof(id, { size })
          if (id > size) {
            expect(await rejectionOf(asked)).toMatchObject({ code: 'state_conflict' })
            continue
          }
          const proof = await asked
          expect([checkProof(proof), proof.root, proof.origin], `${id} in ${size}`).toEqual([true, root, checkpoints[0]?.origin])
          expect(JSON.parse(proof.leaf)).toMatchObject({ id, component: 'notes', operation: 'create' })
          expect(changedProofs(proof).filter(checkProof)).toEqual([])
        }
      }
    })

    test('are of entries that the caller may read', async () => {
      const { storage, write } = await house()
      await write(2)
      expect(await rejectionOf(storage.audit.proof(3))).toBeInstanceOf(NotFoundError)
      expect(await rejectionOf(storage.actingAs({ tenant: 'red' }, () => storage.audit.proof(1)))).toBeInstanceOf(NotFoundError)
      for (const size of [0, -1, 1.5, Number.NaN])
        expect(await rejectionOf(storage.audit.proof(1, { size }))).toBeInstanceOf(InvalidQueryError)
      expect(await rejectionOf(storage.audit.proof(1, { size: 3 }))).toBeInstanceOf(ConflictError)
    })

    test('wait for the seal of an entry', async () => {
      const { notes, storage } = await house()
      await notes.insert({ text: 'now' })
      expect(checkProof(await storage.audit.proof(1))).toBe(true)
    })
  })

  test('are written to a file by themselves, once for each place that the log comes to', async () => {
    const folder = await tempFolder('checkpoints')
    onTestFinished(folder.remove)
    const file = join(folder.path, 'checkpoints.jsonl')
    const url = await engine.freshUrl()
    const start = async (writes: number) => {
      const notes = new ModelAccessor(Note, 'notes')
      const storage = await open([notes], { url, auditCheckpoints: { key, file, every: '1d' } })
      for (let at = 0; at < writes; at++) await notes.insert({ text: 'x' })
      await storage.close()
      return readCheckpoints(await readFile(file, 'utf8'))
    }
    const first = await start(2)
    const second = await start(0)
    const third = await start(1)
    expect(first.at(-1)?.size).toBe(2)
    expect(second).toEqual(first)
    expect(third.slice(0, first.length)).toEqual(first)
    expect(third.at(-1)?.size).toBe(3)
    const storage = await open([new ModelAccessor(Note, 'notes')], { url })
    expect(await findings(storage, third)).toMatchObject({ ok: true, fault: null })
  })

  test('go on in a file whose last line was cut off, by a full disk or a power loss, and hold with it', async () => {
    const folder = await tempFolder('checkpoints')
    onTestFinished(folder.remove)
    const file = join(folder.path, 'checkpoints.jsonl')
    const url = await engine.freshUrl()
    const errors: unknown[] = []
    const logger = { info: () => undefined, warn: () => undefined, error: (...told: unknown[]) => errors.push(told) }
    const start = async () => {
      const notes = new ModelAccessor(Note, 'notes')
      const storage = await open([notes], { url, logger, auditCheckpoints: { key, file, every: '1d' } })
      await notes.insert({ text: 'x' })
      await storage.close()
      return readFile(file, 'utf8')
    }
    const whole = await start()
    await writeFile(file, whole.slice(0, 100))
    expect(readCheckpoints(await start()).at(-1)?.size).toBe(2)
    await writeFile(file, `${whole}${whole.slice(0, 100)}`)
    const text = await start()
    expect(errors).toEqual([])
    const checkpoints = readCheckpoints(text)
    expect(checkpoints.at(-1)?.size).toBe(3)
    expect(checkpoints.slice(0, -1)).toEqual(expect.arrayContaining(readCheckpoints(whole)))
    const storage = await open([new ModelAccessor(Note, 'notes')], { url })
    expect(await findings(storage, checkpoints)).toMatchObject({ ok: true, fault: null })
  })

  test('are read from a file line by line: what is none is refused, unless it is a line that was cut off beside whole ones', async () => {
    const { write } = await house()
    const checkpoint = JSON.stringify(await write(1))
    const cut = checkpoint.slice(0, -20)
    for (const lines of [
      [cut, checkpoint],
      [checkpoint, cut],
      [checkpoint, '\0\0\0', checkpoint],
    ]) {
      expect(readCheckpoints(lines.join('\n')).length).toBe(lines.filter((line) => line === checkpoint).length)
    }
    for (const lines of [[cut], [cut, cut], [checkpoint, '{}'], [checkpoint, `${cut}}`], ['']]) {
      expect(() => readCheckpoints(lines.join('\n'))).toThrow(InvalidQueryError)
    }
  })
})

/** Proofs with one thing changed. */
function changedProofs(proof: InclusionProof): InclusionProof[] {
  const { leaf, link, chain, tree } = proof
  const flip = (hash: string): string => `${hash[0] === '0' ? '1' : '0'}${hash.slice(1)}`
  const flipOne = (hashes: readonly string[]): string[][] => hashes.map((hash, at) => hashes.with(at, flip(hash)))
  return [
    { ...proof, leaf: leaf.replace('"notes"', '"votes"') },
    { ...proof, root: flip(proof.root) },
    { ...proof, link: { ...link, previous: flip(link.previous) } },
    { ...proof, link: { ...link, size: link.index } },
    ...flipOne(link.path).map((path) => ({ ...proof, link: { ...link, path } })),
    { ...proof, link: { ...link, path: [...link.path, link.previous] } },
    ...flipOne(chain).map((other) => ({ ...proof, chain: other })),
    { ...proof, chain: [...chain, link.previous] },
    ...flipOne(tree.path).map((path) => ({ ...proof, tree: { ...tree, path } })),
    { ...proof, tree: { ...tree, path: tree.path.slice(1) } },
    { ...proof, tree: { ...tree, index: tree.size } },
  ].filter((changed) => JSON.stringify(changed) !== JSON.stringify(proof))
}
