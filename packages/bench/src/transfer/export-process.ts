import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { openStorage } from '@strongroom/core'
import Database from 'better-sqlite3'
import { userAccessor } from '../strongroom-users.ts'
import { letterAccessor } from './letters.ts'

/** One export or backup in a process of its own, for its speed and memory: `node export-process.ts KIND URL TABLE TARGET`. */
const [, , kind = '', url = '', table = 'users', target = ''] = process.argv

/** As a hand-written exporter does it: row by row, on the main thread. */
async function byRows(compressed: boolean): Promise<void> {
  // Here alone: whoever exports with the library has not loaded it.
  const { stringify } = await import('csv-stringify')
  const database = new Database(url.replace(/^sqlite:/, ''), { readonly: true })
  const columns = ['id', 'name', 'email', 'age', 'created_at', 'deleted_at']
  const rows = database.prepare(`SELECT ${columns.join(', ')} FROM ${table} ORDER BY id`).iterate()
  const text = stringify({ header: true, columns, record_delimiter: '\r\n' })
  const file = createWriteStream(target)
  await (compressed ? pipeline(Readable.from(rows), text, createGzip({ level: 3 }), file) : pipeline(Readable.from(rows), text, file))
  database.close()
}

async function ours(): Promise<void> {
  const storage = await openStorage({ url, accessors: [table === 'users' ? userAccessor() : letterAccessor()] })
  await (kind === 'backup' ? storage.backup(target) : storage.export(target, { tables: [table] }))
  await storage.close()
}

const before = process.memoryUsage.rss()
const start = performance.now()
if (kind === 'rows' || kind === 'rows-gzip') await byRows(kind === 'rows-gzip')
else await ours()
const seconds = (performance.now() - start) / 1_000
const megabytes = (bytes: number): number => Math.round(bytes / 1_048_576)
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6
process.stdout.write(JSON.stringify({ seconds, cpuSeconds, peakMegabytes: megabytes(maxRSS * 1_024), idleMegabytes: megabytes(before) }))
