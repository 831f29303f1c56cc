import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempFolder } from '@strongroom/testkit'
import { expect, test, vi } from 'vitest'
import { startServer } from '../../src/server-process.ts'

test('the write-ahead log is synced to the disk before a POST is answered', { timeout: 60_000 }, async () => {
  const folder = await tempFolder('strace')
  const trace = join(folder.path, 'trace')
  const server = await startServer(join(folder.path, 'traced.db'), {
    // -D: strace watches from aside, so that the process we start and end is the server itself
    wrapper: ['strace', '-D', '-f', '-yy', '-s', '64', '-e', 'trace=fsync,fdatasync,pwrite64,write,writev,sendmsg,sendto', '-o', trace],
  })
  const answer = await fetch(`${server.url}/counters`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-user': 'strace' },
    body: JSON.stringify({ name: 'traced' }),
  })
  expect(answer.status).toBe(201)
  await server.stop()
  await vi.waitUntil(() => readFileSync(trace, 'utf8').includes('+++ exited'), { timeout: 10_000 })
  const lines = readFileSync(trace, 'utf8').split('\n')
  const answered = lines.findIndex((line) => line.includes('HTTP/1.1 201'))
  const before = lines.slice(0, answered)
  const written = before.findLastIndex((line) => /pwrite64\(.*traced\.db-wal/.test(line))
  const synced = before.findLastIndex((line) => /f(data)?sync\(.*traced\.db-wal/.test(line))
  expect(answered).toBeGreaterThan(0)
  expect(written).toBeGreaterThan(0)
  expect(synced).toBeGreaterThan(written)
  await folder.remove()
})
