import { generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { proofParameters, verifyParameters } from '@strongroom/contract'
import { checkProof, type InclusionProof, readCheckpoints } from '@strongroom/core'
import { describeEngines, tempFolder } from '@strongroom/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { createServer } from '../src/index.ts'
import { makeAccessors, startServer } from './support.ts'

const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string

test('the parameters of the contract are those that are read', () => {
  expect(verifyParameters.map(({ name }) => name)).toEqual(['checkpoint', 'public_key'])
  expect(proofParameters.map(({ name }) => name)).toEqual(['size'])
})

describeEngines('the evidence of a server', (engine) => {
  const start = async (options = {}) => {
    const server = await startServer(engine, { operators: 'loopback', ...options })
    for (const id of ['a', 'b', 'c']) await server.tags.insert({ id }, { actor: 'olga' })
    const get = async (url: string, status = 200) => {
      const answer = await server.app.inject(url)
      expect(answer.statusCode, answer.body).toBe(status)
      return answer.json()
    }
    return { ...server, get }
  }

  test('is verified, signed and proved, one against the other', async () => {
    const { get, tags } = await start({ auditCheckpoints: { key } })
    const checkpoint = await get('/db/audit/checkpoint')
    await tags.insert({ id: 'd' })
    const asked = `/db/audit/verify?checkpoint=${encodeURIComponent(JSON.stringify(checkpoint))}&public_key=${checkpoint.public_key}`
    expect(await get(asked)).toMatchObject({ ok: true, fault: null, checkpoints: [{ size: 3, finding: 'holds' }] })
    const proof: InclusionProof = await get(`/db/audit/2/proof?size=${checkpoint.size}`)
    expect([checkProof(proof), proof.root, JSON.parse(proof.leaf).actor]).toEqual([true, checkpoint.root, 'olga'])
    const forged = JSON.stringify({ ...checkpoint, size: 2 })
    expect(await get(`/db/audit/verify?checkpoint=${encodeURIComponent(forged)}`, 400)).toMatchObject({ code: 'invalid_query' })
  })

  test('is not signed without a key, and not for those who are no operators', async () => {
    const { app, get } = await start()
    expect(await get('/db/audit/checkpoint', 409)).toMatchObject({ code: 'state_conflict' })
    for (const url of ['/db/audit/verify', '/db/audit/checkpoint', '/db/audit/1/proof'])
      expect((await app.inject({ url, headers: { via: 'x' } })).statusCode).toBe(403)
  })

  test('is signed by the key of a setting, into a file', async () => {
    const folder = await tempFolder('evidence')
    onTestFinished(folder.remove)
    const file = join(folder.path, 'checkpoints.jsonl')
    const before = { ...process.env }
    onTestFinished(() => {
      process.env = before
    })
    Object.assign(process.env, { AUDIT_CHECKPOINT_KEY: key.replaceAll('\n', '\\n'), AUDIT_CHECKPOINT_FILE: file })
    const lines: string[] = []
    const accessors = makeAccessors()
    const app = await createServer({
      accessors: [accessors.users, accessors.products, accessors.tags],
      databaseUrl: await engine.freshUrl(),
      port: 0,
      auth: false,
      operators: 'loopback',
      logger: { stream: { write: (line: string) => void lines.push(line) } },
    })
    await accessors.tags.insert({ id: 'a' })
    const [made] = [await app.storage.audit.checkpoint()]
    await app.close()
    expect(readCheckpoints(await readFile(file, 'utf8')).at(-1)).toMatchObject({ size: 1, root: made?.root, public_key: made?.public_key })
    expect(lines.join('')).not.toContain(key.split('\n')[1])
  })
})
