import { type AnyModel, ModelAccessor, type PageOptions, type Storage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { Bench } from '../audit-bench.ts'
import { command } from '../audit-commands.ts'
import { storagesOn } from '../support.ts'
import { anyOrder, anyRow, anyWhere, type Row, Thing } from '../things.ts'
import { laterThan } from './clock.ts'

/*
 * What is asked now, and answered, must be answered alike when it is asked later for this moment. RUNS says how many histories
 * (20 unless said), SEED repeats a run.
 */
const runs = Number(process.env['RUNS'] ?? 20)
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** A question, when it was asked, and how to ask it of the past. */
interface Kept {
  readonly time: Date
  readonly question: unknown
  readonly answer: unknown
  readonly again: () => Promise<unknown>
}

async function assertKept(kept: readonly Kept[]): Promise<void> {
  for (const { time, question, answer, again } of kept)
    expect(await again(), `${time.toISOString()} ${JSON.stringify(question, text)}`).toEqual(answer)
}

function text(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}

describeEngines('the past', (engine) => {
  const open = storagesOn(engine, 'suite')

  test(`of every write path is what it was, in ${runs} histories`, { timeout: 60_000 + runs * 5_000 }, async () => {
    console.info(`past property on ${engine.name}: SEED=${seed} RUNS=${runs}`)
    const bench = await Bench.make(open)
    const { owners, parts, labels, locks } = bench
    // The models differ, and nothing is asked of them but their records.
    const accessors = [owners, parts, labels, locks] as unknown as readonly ModelAccessor<AnyModel>[]
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 12, maxLength: 12, size: 'max' }), async (commands) => {
        await bench.clear()
        const kept: Kept[] = []
        for (const step of commands) {
          await bench.run(step)
          const time = await laterThan()
          for (const accessor of accessors) for (const includeDeleted of [false, true]) await keepAll(kept, accessor, time, includeDeleted)
          const [owner] = await owners.all({ includeDeleted: true })
          if (owner)
            kept.push({
              time,
              question: owner.id,
              answer: masked([owner])[0],
              again: () => owners.asOf(time).get(owner.id, { includeDeleted: true }),
            })
          await laterThan(time)
        }
        await assertKept(kept)
      }),
      { numRuns: runs, seed },
    )
  })

  const things = new ModelAccessor(Thing, 'things')
  let storage: Storage
  beforeAll(async () => {
    storage = await open([things])
  })

  test('answers any filter, order, page and count as it was answered then', { timeout: 60_000 + runs * 5_000 }, async () => {
    const change = fc.record({
      gone: fc.array(fc.nat(39), { maxLength: 3 }),
      purged: fc.array(fc.nat(39), { maxLength: 2 }),
      changed: fc.array(fc.tuple(fc.nat(39), anyRow), { maxLength: 8 }),
      fresh: fc.array(anyRow, { maxLength: 4 }),
    })
    const question = fc.record({
      where: anyWhere,
      orderBy: anyOrder,
      offset: fc.nat(30),
      limit: fc.integer({ min: 1, max: 20 }),
      includeDeleted: fc.boolean(),
    })
    const step = fc.tuple(change, fc.array(question, { minLength: 2, maxLength: 3 }))
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRow, { minLength: 30, maxLength: 30 }),
        fc.array(step, { minLength: 3, maxLength: 4 }),
        async (start, steps) => {
          // The rows hold values of the model's own types.
          await things.purgeMany({})
          await things.insertMany(start as never)
          const kept: Kept[] = []
          for (const [{ gone, purged, changed, fresh }, questions] of steps) {
            const time = await laterThan()
            for (const asked of questions) await keepAnswers(kept, things, time, asked as never)
            await laterThan(time)
            const ids = (await things.all({ includeDeleted: true })).map(({ id }) => id)
            const idAt = (index: number): number => ids[index % ids.length] ?? 0
            await storage.transaction(async () => {
              await things.insertMany(fresh as never)
              for (const [index, row] of changed)
                if (await things.exists({ id: idAt(index) })) await things.update(idAt(index), row as never)
              await things.deleteMany(gone.map(idAt))
              await things.purgeMany(purged.map(idAt))
              await things.restoreMany(gone.slice(0, 1).map(idAt))
            })
          }
          await assertKept(kept)
        },
      ),
      { numRuns: runs, seed },
    )
  })
})

async function keepAll(kept: Kept[], accessor: ModelAccessor<AnyModel>, time: Date, includeDeleted: boolean): Promise<void> {
  // Plain objects of fields.
  const answer = masked((await accessor.all({ includeDeleted })) as Row[])
  kept.push({ time, question: [accessor.component, includeDeleted], answer, again: () => accessor.asOf(time).find({ includeDeleted }) })
}

type Question = PageOptions<typeof Thing> & { readonly offset: number; readonly limit: number }

/** Asks for pages by offset and by cursors in both directions, and for the count. */
async function keepAnswers(kept: Kept[], things: ModelAccessor<typeof Thing>, time: Date, question: Question): Promise<void> {
  const past = things.asOf(time)
  const keep = (asked: unknown, answer: unknown, again: () => Promise<unknown>): void => {
    kept.push({ time, question: asked, answer, again })
  }
  const { where, includeDeleted = false, offset, ...ordered } = question
  const page = await things.page(question)
  keep(question, page, () => past.page(question))
  const { limit, ...rest } = question
  keep(question, await things.find(rest), () => past.find(rest))
  const first = { ...ordered, where: where ?? {}, includeDeleted }
  const firstPage = await things.page(first)
  keep(first, firstPage, () => past.page(first))
  for (const cursor of [firstPage.next, page.next].filter((text) => text !== undefined)) {
    const after = { ...first, after: cursor }
    keep(after, await things.page(after), () => past.page(after))
    const before = { ...first, before: cursor }
    keep(before, await things.page(before), () => past.page(before))
  }
  keep(where, await things.count(where, { includeDeleted }), () => past.count(where, { includeDeleted }))
}

/** Records as the past shows them: what was secret is not in the log. */
function masked(rows: readonly Row[]): Row[] {
  return rows.map((row) => ('token' in row ? { ...row, token: '[secret]' } : row))
}
