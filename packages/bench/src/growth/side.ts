import { copyFileSync } from 'node:fs'
import { bootstrap } from '@strongroom/fastify'
import Fastify from 'fastify'
import { openByHand } from './by-hand.ts'
import { type OperationName, operations } from './operations.ts'
import { growthAccessors, newcomer, scattered } from './people.ts'
import type { Cost, Order, Ready } from './side-process.ts'

/** A server on one database: `node side.ts DATABASE MODELS`. It tells what its start took, and measures what it is asked to. */
const [, , database = '', models = '1'] = process.argv

interface Opened {
  readonly close: () => Promise<void>
  /** What this process had taken when it could answer. */
  readonly ready: Ready
  readonly work: Readonly<Record<OperationName, (index: number) => Promise<unknown>>>
}

async function open(): Promise<Opened> {
  const { people, all } = growthAccessors(Number(models))
  const app = Fastify()
  await bootstrap(app, { accessors: all, databaseUrl: `sqlite:${database}`, auth: false, operators: 'loopback', readTimeLimit: 120_000 })
  await app.ready()
  const ready: Ready = { microseconds: processorTime(), resident: process.memoryUsage.rss() }
  const { audit } = app.storage
  const rows = await people.count({})
  const middle = { offset: Math.floor(rows / 2), count: 'none' } as const
  const filtered = { where: { role: 'admin' }, orderBy: 'name', limit: 50, count: 'none' } as const
  const { next: place } = await people.page({ ...middle, limit: 100 })
  const { next: filteredPlace } = await people.page({ ...filtered, offset: Math.floor(rows / 10) })
  const { next: auditPlace } = await audit.page({ limit: 100, offset: Math.floor(rows / 2) })
  if (place === undefined || filteredPlace === undefined || auditPlace === undefined) throw new Error('there are too few records')
  const actor = { actor: 'bench' }
  const hand = openByHand(database)
  // Numbers of newcomers: no other run on this database has had them.
  let fresh = Date.now() % 1_000_000_000
  const id = (index: number): number => scattered(index, rows) + 1
  return {
    close: async () => {
      hand.close()
      await app.close()
    },
    ready,
    work: {
      get: async (index) => required(await people.get(id(index))),
      page: async () => requireLength(100, (await people.page({ after: place, limit: 100, count: 'none' })).rows),
      filteredPage: async () => requireLength(50, (await people.page({ ...filtered, after: filteredPlace })).rows),
      auditPage: async () => requireLength(100, (await audit.page({ limit: 100 })).entries),
      deepAuditPage: async () => requireLength(100, (await audit.page({ limit: 100, after: auditPlace })).entries),
      history: async (index) => required((await people.history(id(index)))[0]),
      count: () => people.count({}),
      document: async () => {
        const { statusCode } = await app.inject('/openapi.json')
        if (statusCode !== 200) throw new Error(`the document was answered ${statusCode}`)
      },
      insert: () => people.insert(newcomer(fresh++, rows), actor),
      update: () => people.update(id(fresh++), { age: fresh % 150 }, actor),
      insertMany: () =>
        people.insertMany(
          Array.from({ length: 1_000 }, () => newcomer(fresh++, rows)),
          actor,
        ),
      handGet: async (index) => required(hand.get(id(index))),
      handInsertMany: async () => hand.insertMany(Array.from({ length: 1_000 }, () => newcomer(fresh++, rows))),
    },
  }
}

let opened = await open()

process.on('message', (order: Order) => {
  const answer = order.deed === 'measure' ? measure(order.operation) : renew(order.from)
  answer.then(
    (message) => process.send?.(message),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.on('disconnect', () => process.exit(0))
process.on('SIGTERM', () => void opened.close().then(() => process.disconnect?.()))
process.send?.(opened.ready)

let turns = 0

async function measure(operation: OperationName): Promise<Cost> {
  const { count, ...options } = operations[operation]
  const together = 'together' in options ? options.together : 1
  const run = opened.work[operation]
  const before = processorTime()
  const start = performance.now()
  for (let index = 0; index < count; index += together) {
    if (together === 1) await run(turns++)
    else await Promise.all(Array.from({ length: together }, () => run(turns++)))
  }
  return { microseconds: (processorTime() - before) / count, wall: ((performance.now() - start) * 1_000) / count }
}

/** Begins again with a copy of a database: what writes have added would be much for a small one. */
async function renew(from: string): Promise<string> {
  await opened.close()
  copyFileSync(from, database)
  opened = await open()
  return 'renewed'
}

/** Microseconds, of all threads. */
function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

function required<T>(found: T | null | undefined): T {
  if (found === null || found === undefined) throw new Error('a record is missing')
  return found
}

function requireLength(length: number, found: readonly unknown[]): void {
  if (found.length !== length) throw new Error(`${found.length} were found in the place of ${length}`)
}
