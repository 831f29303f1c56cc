import { type AnyModel, defineModel, ModelAccessor, Ref, type RevertReport, type Storage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import fc from 'fast-check'
import { Type } from 'typebox'
import { beforeAll, expect, test } from 'vitest'
import { storagesOn } from '../support.ts'

/*
 * Whatever a request did: undone at once, the tables are what they were; and undone again, what the request had made of them. RUNS says how
 * many histories (40 unless said), SEED repeats a run.
 */
const runs = Number(process.env['RUNS'] ?? 40)
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))

const Team = defineModel(
  'teams',
  { name: Type.String(), rank: Type.Optional(Type.Integer()), parent_id: Type.Optional(Ref((): AnyModel<number> => Team)) },
  { softDelete: true, unique: [['name'], ['rank']] },
)
const Person = defineModel(
  'people',
  {
    name: Type.String(),
    desk: Type.Integer(),
    team_id: Ref(() => Team),
    boss: Type.Optional(Ref((): AnyModel<string> => Person, { onDelete: 'setNull' })),
  },
  { id: 'text', stamps: true, unique: [['team_id', 'desk']] },
)
const Task = defineModel(
  'tasks',
  {
    title: Type.String(),
    person: Ref(() => Person, { onDelete: 'cascade' }),
    team_id: Type.Optional(Ref(() => Team, { onDelete: 'setNull' })),
  },
  { id: 'uuid', softDelete: true },
)

const pick = fc.nat(11)
const few = fc.constantFrom(1, 2, 3, 4)
const word = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const step = fc.oneof(
  fc.record({ do: fc.constant('team' as const), name: word, rank: fc.option(few), parent: fc.option(pick) }),
  fc.record({ do: fc.constant('change team' as const), at: pick, name: word, rank: fc.option(few), parent: fc.option(pick) }),
  fc.record({ do: fc.constant('swap teams' as const), at: pick, other: pick }),
  fc.record({ do: fc.constant('delete team' as const), at: pick, purge: fc.boolean() }),
  fc.record({ do: fc.constant('restore team' as const), at: pick }),
  fc.record({ do: fc.constant('person' as const), id: word, desk: few, team: pick, boss: fc.option(word) }),
  fc.record({ do: fc.constant('swap desks' as const), at: pick, other: pick }),
  fc.record({ do: fc.constant('delete person' as const), at: pick }),
  fc.record({ do: fc.constant('task' as const), title: word, person: pick, team: fc.option(pick) }),
  fc.record({ do: fc.constant('change task' as const), at: pick, person: pick, team: fc.option(pick) }),
  fc.record({ do: fc.constant('delete task' as const), at: pick, purge: fc.boolean() }),
  fc.record({ do: fc.constant('restore task' as const), at: pick }),
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

describeEngines('revert', (engine) => {
  const open = storagesOn(engine, 'suite')
  const teams = new ModelAccessor(Team, 'teams')
  const people = new ModelAccessor(Person, 'people')
  const tasks = new ModelAccessor(Task, 'tasks')
  let storage: Storage
  let requests = 0
  beforeAll(async () => {
    storage = await open([teams, people, tasks])
  })

  const clear = () =>
    storage.transaction(
      async ({ kysely }) => {
        await kysely.updateTable('people').set({ boss: null }).execute()
        await kysely.updateTable('teams').set({ parent_id: null }).execute()
        for (const table of ['tasks', 'people', 'teams']) await kysely.deleteFrom(table).execute()
      },
      { unaudited: true },
    )

  /** The id of a record that is there, deleted ones among them; else of none. */
  const idOf = async (accessor: ModelAccessor<AnyModel>, at: number): Promise<never> => {
    // Every model has an id, of a type that is not known here.
    const ids = ((await accessor.all({ includeDeleted: true })) as { readonly id: unknown }[]).map(({ id }) => id)
    return ids[at % Math.max(1, ids.length)] as never
  }
  const team = (at: number | null) => (at === null ? Promise.resolve(null) : idOf(teams as never, at))
  const person = (at: number) => idOf(people as never, at)
  const task = (at: number) => idOf(tasks as never, at)

  /** One write, or several in a transaction. What the database refuses is not done. */
  async function write(given: Step): Promise<unknown> {
    switch (given.do) {
      case 'team':
        return await teams.insert({ name: given.name, rank: given.rank, parent_id: await team(given.parent) })
      case 'change team':
        return await teams.update(await idOf(teams as never, given.at), {
          name: given.name,
          rank: given.rank,
          parent_id: await team(given.parent),
        })
      case 'swap teams':
        return await swap(teams as never, [await idOf(teams as never, given.at), await idOf(teams as never, given.other)], 'name', 'spare')
      case 'delete team':
        return await teams[given.purge ? 'purge' : 'delete'](await idOf(teams as never, given.at))
      case 'restore team':
        return await teams.restore(await idOf(teams as never, given.at))
      case 'person': {
        const record = { id: given.id, name: given.id, desk: given.desk, team_id: (await team(given.team)) ?? 0, boss: given.boss }
        return await people.save(record)
      }
      case 'swap desks':
        return await swap(people as never, [await person(given.at), await person(given.other)], 'desk', 99)
      case 'delete person':
        return await people.delete(await person(given.at))
      case 'task':
        return await tasks.insert({ title: given.title, person: await person(given.person), team_id: await team(given.team) })
      case 'change task':
        return await tasks.update(await task(given.at), { person: await person(given.person), team_id: await team(given.team) })
      case 'delete task':
        return await tasks[given.purge ? 'purge' : 'delete'](await task(given.at))
      default:
        return await tasks.restore(await task(given.at))
    }
  }

  async function swap(
    accessor: ModelAccessor<AnyModel>,
    [one, other]: readonly [never, never],
    field: string,
    spare: unknown,
  ): Promise<void> {
    const [a, b] = [await accessor.get(one), await accessor.get(other)] as (Record<string, unknown> | null)[]
    if (!a || !b || one === other) return
    await accessor.update(one, { [field]: spare })
    await accessor.update(other, { [field]: a[field] })
    await accessor.update(one, { [field]: b[field] })
  }

  const attempt = (given: Step): Promise<unknown> => storage.transaction(() => write(given)).catch(() => undefined)

  /** The live records, but for the stamps of their last change. */
  async function live(): Promise<unknown> {
    const rows = { teams: await teams.all(), people: await people.all(), tasks: await tasks.all() }
    return JSON.parse(JSON.stringify(rows, (name, value) => (name.startsWith('updated_') ? undefined : value)))
  }

  const request = async (steps: readonly Step[]): Promise<string> => {
    const requestId = `request ${++requests}`
    await storage.actingAs({ requestId }, async () => {
      for (const given of steps) await attempt(given)
    })
    return requestId
  }

  const undo = (requestId: string, options = {}): Promise<RevertReport> => storage.revert({ requestId }, options)

  const hasEntries = async (requestId: string): Promise<boolean> => (await storage.audit.count({ request_id: requestId })) > 0

  test(`of any request restores what was there, and its own revert what the request had made of it`, { timeout: 120_000 }, async () => {
    console.info(`revert property on ${engine.name}: SEED=${seed} RUNS=${runs}`)
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 6, maxLength: 14, size: 'max' }),
        fc.array(step, { minLength: 1, maxLength: 8, size: 'max' }),
        async (before, undone) => {
          await clear()
          await request(before)
          const then = await live()
          const id = await request(undone)
          if (!(await hasEntries(id))) return
          const now = await live()
          const rehearsed = await undo(id, { dryRun: true })
          expect(await live()).toEqual(now)
          const back = await undo(id)
          expect(back.conflicts).toEqual([])
          expect(rehearsed).toMatchObject({ components: back.components, dryRun: true, applied: false, conflictCount: 0 })
          expect(await live()).toEqual(then)
          if (!(await hasEntries(back.requestId))) return
          const again = await undo(back.requestId)
          expect(again.conflicts).toEqual([])
          expect(await live()).toEqual(now)
        },
      ),
      { numRuns: runs, seed },
    )
  })

  test('of a request in the middle leaves what came later, and restores the rest', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 6, maxLength: 12, size: 'max' }),
        fc.array(step, { minLength: 1, maxLength: 6, size: 'max' }),
        fc.array(step, { minLength: 1, maxLength: 6, size: 'max' }),
        async (before, undone, later) => {
          await clear()
          await request(before)
          const then = await byRecord(live)
          const id = await request(undone)
          const others = await request(later)
          if (!(await hasEntries(id))) return
          const now = await byRecord(live)
          const refused = await undo(id)
          if (refused.conflictCount > 0) expect([refused.applied, await byRecord(live)]).toEqual([false, now])
          const report = refused.conflictCount > 0 ? await undo(id, { conflicts: 'skip' }) : refused
          const restored = await byRecord(live)
          const conflicts = new Set(report.conflicts.map(({ component, recordId }) => `${component} ${recordId}`))
          const touched = await keysOf(id)
          for (const key of new Set([...then.keys(), ...now.keys(), ...restored.keys()])) {
            const isBack = touched.has(key) && !conflicts.has(key)
            const sameAs = isBack ? then : now
            expect([key, isBack, restored.get(key)]).toEqual([key, isBack, sameAs.get(key)])
          }
          // Whoever came later is in nobody's way without a reason.
          const theirs = await keysOf(others)
          for (const { component, recordId, reason } of report.conflicts)
            if (reason === 'changed_later') expect(theirs).toContain(`${component} ${recordId}`)
        },
      ),
      { numRuns: runs, seed },
    )
  })

  async function keysOf(requestId: string): Promise<Set<string>> {
    const entries = await storage.audit.find({ request_id: requestId })
    return new Set(entries.map(({ component, record_id: id }) => `${component} ${id}`))
  }

  async function byRecord(read: () => Promise<unknown>): Promise<Map<string, unknown>> {
    const tables = Object.entries((await read()) as Record<string, { readonly id: unknown }[]>)
    return new Map(tables.flatMap(([component, rows]) => rows.map((row) => [`${component} ${row.id}`, row] as const)))
  }
})
