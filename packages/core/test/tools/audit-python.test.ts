import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineModel, ModelAccessor, openStorage } from '@strongroom/core'
import { describeEngines, tempFolder } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, onTestFinished, test } from 'vitest'
import { forge } from '../audit/forge.ts'
import { tamper } from '../audit/raw-database.ts'
import { hostile } from '../transfer/hostile-things.ts'

const verifier = fileURLToPath(new URL('../../../../examples/verify_audit_log.py', import.meta.url))
const log = 'strongroom_audit_log'
const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const Note = defineModel('notes', { text: Type.String(), tag: Type.Optional(Type.String()) })

/** What the program says of a file. */
function verdict(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('python3', [verifier, ...args], { encoding: 'utf8' })
  const text = (status === 0 ? stdout : stderr).trim()
  expect(text).toMatch(status === 0 ? /^whole/ : /^not whole/)
  return text
}

describeEngines('the verifier in Python', (engine) => {
  const start = async () => {
    const folder = await tempFolder('audit-python')
    onTestFinished(folder.remove)
    const url = await engine.freshUrl()
    const notes = new ModelAccessor(Note, 'notes')
    const storage = await openStorage({ url, accessors: [notes], auditCheckpoints: { key } })
    onTestFinished(() => storage.close())
    const backup = async (name: string): Promise<string> => {
      await storage.audit.waitUntilSealed()
      const file = join(folder.path, name)
      await storage.backup(file)
      return file
    }
    return { folder: folder.path, notes, storage, backup }
  }

  test('finds logs whole that are, of every text and across blocks and restores, and holds them against a checkpoint', async () => {
    const { folder, notes, storage, backup } = await start()
    await notes.insertMany(hostile.map((text) => ({ text })))
    await storage.audit.waitUntilSealed()
    for (const [index, text] of hostile.entries())
      await notes.update(index + 1, { tag: 'x' }, { actor: text.slice(0, 200).toWellFormed() || 'nobody' })
    const early = await backup('early.sqlite')
    await notes.insertMany(Array.from({ length: 700 }, (_, index) => ({ text: String(index) })))
    await storage.audit.waitUntilSealed()
    await storage.restore(early)
    await notes.insertMany([{ text: 'after' }, { text: 'restore' }])
    const checkpoint = await storage.audit.checkpoint()
    await writeFile(join(folder, 'checkpoint.json'), JSON.stringify(checkpoint))
    await notes.insert({ text: 'later' })
    const late = await backup('late.sqlite')
    expect(verdict(early)).toBe(`whole up to position ${2 * hostile.length}`)
    expect(verdict(late, join(folder, 'checkpoint.json'))).toBe(`whole up to position ${checkpoint.size + 1}`)
    await writeFile(join(folder, 'other.json'), JSON.stringify({ ...checkpoint, root: 'ab'.repeat(32) }))
    expect(verdict(late, join(folder, 'other.json'))).toContain('is not what the checkpoint')
    expect(verdict(early, join(folder, 'checkpoint.json'))).toContain('is not what the checkpoint')
  })

  test('names the first bad entry of those that are not', async () => {
    const { folder, notes, storage, backup } = await start()
    for (const group of ['a', 'b']) {
      await notes.insertMany(Array.from({ length: 6 }, (_, index) => ({ text: `${group}${index}` })))
      await storage.audit.waitUntilSealed()
    }
    await writeFile(join(folder, 'checkpoint.json'), JSON.stringify(await storage.audit.checkpoint()))
    const faults: readonly (readonly [statement: string, verdict: RegExp])[] = [
      [`UPDATE ${log} SET "after" = replace("after", 'b2', 'b3') WHERE id = 9`, /position 9: the images/],
      [`UPDATE ${log} SET actor = 'x' WHERE id = 5`, /position 5/],
      [`DELETE FROM ${log} WHERE id = 5`, /position 5: no entry/],
      [`DELETE FROM ${log} WHERE id = 12`, /position (12|7 to 11)/],
      [`UPDATE ${log} SET "before" = NULL, "after" = NULL, salt = NULL WHERE id = 5`, /position 5: its images/],
      [
        `UPDATE ${log} SET seq = CASE seq WHEN 3 THEN -4 WHEN 4 THEN -3 END WHERE seq IN (3, 4); UPDATE ${log} SET seq = -seq WHERE seq < 0`,
        /position 3/,
      ],
      [`UPDATE strongroom_audit_head SET seq = 13`, /position 13/],
    ]
    for (const [index, [statement, words]] of faults.entries()) {
      const file = await backup(`${index}.sqlite`)
      await tamper(`sqlite:${file}`, statement)
      expect(verdict(file)).toMatch(words)
    }
    const forged = await backup('forged.sqlite')
    await tamper(`sqlite:${forged}`, `UPDATE ${log} SET actor = 'x' WHERE id = 5`)
    await forge(`sqlite:${forged}`)
    expect(verdict(forged)).toBe('whole up to position 12')
    expect(verdict(forged, join(folder, 'checkpoint.json'))).toContain('is not what the checkpoint')
  })
})
