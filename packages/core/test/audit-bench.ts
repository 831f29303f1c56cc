import { type AuditEntry, defineModel, ModelAccessor, Ref, recordToJson, type Storage } from '@strongroom/core'
import { Type } from 'typebox'
import { expect } from 'vitest'
import type { Command, Fields } from './audit-commands.ts'
import { refuseIf, World } from './audit-model.ts'
import type { storagesOn } from './support.ts'

const Owner = defineModel(
  'owners',
  { name: Type.String({ minLength: 1 }), count: Type.Optional(Type.Integer()), token: Type.Optional(Type.String()) },
  { softDelete: true, stamps: true, unique: [['name']], secret: ['token'] },
)
const Part = defineModel('parts', { owner_id: Ref(() => Owner, { onDelete: 'cascade' }), text: Type.String() }, { id: 'text' })
const Label = defineModel('labels', { owner_id: Type.Optional(Ref(() => Owner, { onDelete: 'setNull' })) })
const Lock = defineModel('locks', { owner_id: Ref(() => Owner) }, { softDelete: true })

/** What the hooks of the bench throw. */
class Stop extends Error {}

/** The real storage and the model side by side. */
export class Bench {
  readonly owners = new ModelAccessor(Owner, 'owners')
  readonly parts = new ModelAccessor(Part, 'parts')
  readonly labels = new ModelAccessor(Label, 'labels')
  readonly locks = new ModelAccessor(Lock, 'locks')
  storage!: Storage
  world = new World()
  #lastEntry = 0
  #firstEntry = 0
  /** The labels that the hook made, in the order in which it made them. */
  #made: number[] = []

  static async make(open: ReturnType<typeof storagesOn>): Promise<Bench> {
    const bench = new Bench()
    const { owners, parts, labels } = bench
    bench.storage = await open([owners, parts, labels, bench.locks])
    const refuse = (bad: number) => (event: { record: { count: number | null } }) => {
      if (event.record.count === bad) throw new Stop('hook')
    }
    const later = (bad: number) => async (event: { record: { count: number | null } }) => {
      await owners.count()
      refuse(bad)(event)
    }
    owners
      .beforeInsert(refuse(13))
      .beforeUpdate(later(13))
      .afterInsert(({ record }) => (record.count === 66 ? later(66)({ record }) : undefined))
    owners.afterUpdate(refuse(66))
    owners.afterInsert(async ({ record }) => {
      if (record.name === 'auto') bench.#made.push((await labels.insert({ owner_id: record.id })).id)
    })
    parts.afterDelete(({ record }) => {
      if (record.text === 'stuck') throw new Stop('stuck')
    })
    return bench
  }

  async clear(): Promise<void> {
    await this.storage.transaction(
      async ({ kysely }) => {
        for (const table of ['parts', 'labels', 'locks', 'owners'] as const) await kysely.deleteFrom(table).execute()
      },
      { unaudited: true },
    )
    this.world = new World()
    this.#lastEntry = (await this.storage.audit.findOne())?.id ?? 0
    this.#firstEntry = this.#lastEntry
  }

  /** Runs a command on both; they must agree whether it succeeds. */
  async run(step: Command): Promise<void> {
    if (step.do === 'transaction') return await this.#transaction(step.steps, step.fails)
    const foreseen = this.world.copy()
    this.#made = []
    const outcome = await this.#write(step.do === 'dry' ? step.of : step, step.do === 'dry').then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    )
    const expected = foreseen.attempt((world) =>
      this.#imagine(world, step.do === 'dry' ? step.of : step, 'answer' in outcome ? outcome.answer : undefined),
    )
    if (expected !== 'answer' in outcome)
      throw new Error(`${JSON.stringify(step)} was expected to ${expected ? 'succeed' : 'fail'}`, { cause: outcome })
    if ('error' in outcome) expect(outcome.error).toSatisfy(isForeseen)
    else if (step.do !== 'dry') this.world = foreseen
  }

  async #transaction(steps: readonly Command[], fails: boolean): Promise<void> {
    const before = this.world.copy()
    const stop = new Stop('transaction')
    const outcome = await this.storage
      .transaction(async () => {
        // PostgreSQL may run it again from its start.
        this.world = before.copy()
        for (const step of steps) await this.run(step)
        if (fails) throw stop
      })
      .catch((error: unknown) => error)
    if (outcome !== (fails ? stop : undefined)) throw outcome
    if (fails) this.world = before
  }

  /** An owner that exists, mostly; else an id that does not. */
  #owner(world: World, index: number): number {
    const ids = [...world.owners.keys()].toSorted((a, b) => a - b)
    return ids.length === 0 || index === 12 ? 999 : (ids[index % ids.length] ?? 999)
  }

  #ofMap(map: ReadonlyMap<number, unknown>, index: number): number {
    const ids = [...map.keys()].toSorted((a, b) => a - b)
    return ids[index % Math.max(1, ids.length)] ?? 999
  }

  async #write(step: Command, dryRun: boolean): Promise<unknown> {
    const { owners, world } = this
    const options = { dryRun, actor: 'tester' }
    switch (step.do) {
      case 'insert':
        return await owners.insert(step.fields, options)
      case 'save new':
        return await owners.save(step.fields, options)
      case 'insertMany':
        return await owners.insertMany(step.list, options)
      case 'upsertMany':
        return await owners.upsertMany(step.list, { on: ['name'], ...options })
      case 'update':
        return await owners.update(this.#owner(world, step.pick), step.fields, options)
      case 'replace':
        return await owners.replace(this.#owner(world, step.pick), step.fields, options)
      case 'save':
        return await owners.save({ id: this.#owner(world, step.pick), ...step.fields }, options)
      case 'save far':
        return await owners.save({ id: step.id, ...step.fields }, options)
      case 'updateMany':
        return await owners.updateMany({ count: step.count }, step.fields, options)
      case 'delete':
        return await owners.delete(this.#owner(world, step.pick), options)
      case 'restore':
        return await owners.restore(this.#owner(world, step.pick), options)
      case 'purge':
        return await owners.purge(this.#owner(world, step.pick), options)
      case 'deleteMany':
        return await owners.deleteMany(this.#owners(world, step.picks), options)
      case 'restoreMany':
        return await owners.restoreMany(this.#owners(world, step.picks), options)
      case 'purgeMany':
        return await owners.purgeMany(this.#owners(world, step.picks), options)
      case 'deleteWhere':
        return await owners.deleteMany({ count: step.count }, options)
      case 'part':
        return await this.parts.save({ id: step.id, owner_id: this.#owner(world, step.pick), text: step.text }, options)
      case 'delete part':
        return await this.parts.delete(step.id, options)
      case 'label':
        return await this.labels.insert({ owner_id: step.owner === null ? null : this.#owner(world, step.owner) }, options)
      case 'change label':
        return await this.labels.update(
          this.#ofMap(world.labels, step.pick),
          { owner_id: step.owner === null ? null : this.#owner(world, step.owner) },
          options,
        )
      case 'lock':
        return await this.locks.insert({ owner_id: this.#owner(world, step.pick) }, options)
      case 'unlock':
        return await this.locks.delete(this.#ofMap(world.locks, step.pick), options)
      case 'purge lock':
        return await this.locks.purge(this.#ofMap(world.locks, step.pick), options)
      default:
        throw new Error(`no single write: ${step.do}`)
    }
  }

  #owners(world: World, picks: readonly number[]): number[] {
    return [...new Set(picks.map((index) => this.#owner(world, index)))]
  }

  /** The same in the model. Ids that the database counts are taken from its answer. */
  #imagine(world: World, step: Command, answer: unknown): unknown {
    const before = this.world
    const idOf = (row: unknown): number => (row as { id: number } | undefined)?.id ?? Number.NaN
    const rows = Array.isArray(answer) ? answer : []
    const insert = (id: number, given: Fields & { name: string }): void => {
      world.insertOwner({ id, name: given.name, count: given.count ?? null, token: given.token ?? null, deleted: false })
      if (given.name === 'auto') world.insertLabel(this.#made.shift() ?? Number.NaN, id)
    }
    const live = (ids: readonly number[]): number[] => ids.filter((id) => world.owners.get(id)?.deleted === false)
    switch (step.do) {
      case 'insert':
      case 'save new':
        return insert(idOf(answer), step.fields)
      case 'insertMany':
        for (const [index, given] of step.list.entries()) insert(idOf(rows[index] ?? { id: -index }), given)
        return
      case 'upsertMany': {
        refuseIf(new Set(step.list.map((given) => given.name)).size < step.list.length || step.list.some((given) => given.name === ''))
        const found = step.list.map((given) => before.liveOwners().find((owner) => owner.name === given.name))
        for (const [index, given] of step.list.entries()) if (found[index]) world.changeOwner(found[index].id, given)
        for (const [index, given] of step.list.entries()) if (!found[index]) insert(idOf(rows[index] ?? { id: -index }), given)
        return
      }
      case 'update':
      case 'replace': {
        const [id] = live([this.#owner(before, step.pick)])
        refuseIf(id === undefined)
        return world.changeOwner(id ?? 0, step.do === 'update' ? step.fields : { count: null, token: null, ...step.fields })
      }
      case 'save':
      case 'save far': {
        const id = step.do === 'save' ? this.#owner(before, step.pick) : step.id
        const known = world.owners.get(id)
        refuseIf(known?.deleted === true)
        return known ? world.changeOwner(id, step.fields) : insert(id, step.fields)
      }
      case 'updateMany':
        for (const owner of before.liveOwners()) if (owner.count === step.count) world.changeOwner(owner.id, step.fields)
        return
      case 'delete':
        return world.deleteOwners(live([this.#owner(before, step.pick)]), 'soft')
      case 'deleteMany':
        return world.deleteOwners(live(this.#owners(before, step.picks)), 'soft')
      case 'deleteWhere':
        return world.deleteOwners(
          before
            .liveOwners()
            .filter((owner) => owner.count === step.count)
            .map((owner) => owner.id),
          'soft',
        )
      case 'restore':
      case 'restoreMany':
        for (const id of step.do === 'restore' ? [this.#owner(before, step.pick)] : this.#owners(before, step.picks)) {
          if (world.owners.get(id)?.deleted) world.changeOwner(id, { deleted: false }, 'restore')
        }
        return
      case 'purge':
      case 'purgeMany': {
        const ids = step.do === 'purge' ? [this.#owner(before, step.pick)] : this.#owners(before, step.picks)
        return world.deleteOwners(
          ids.filter((id) => world.owners.has(id)),
          'hard',
        )
      }
      case 'part':
        return world.savePart({ id: step.id, owner_id: this.#owner(before, step.pick), text: step.text })
      case 'delete part':
        return world.parts.has(step.id) ? world.deletePart(step.id) : undefined
      case 'label':
        return world.insertLabel(idOf(answer), step.owner === null ? null : this.#owner(before, step.owner))
      case 'change label':
        return world.changeLabel(this.#ofMap(before.labels, step.pick), step.owner === null ? null : this.#owner(before, step.owner))
      case 'lock':
        return world.insertLock(idOf(answer), this.#owner(before, step.pick))
      case 'unlock':
      case 'purge lock': {
        const lock = world.locks.get(this.#ofMap(before.locks, step.pick))
        if (lock && (step.do === 'purge lock' || !lock.deleted)) world.deleteLock(lock.id, step.do === 'unlock' ? 'soft' : 'hard')
        return
      }
      default:
        throw new Error(`no single write: ${step.do}`)
    }
  }

  /** Rows and new entries are what the model says. */
  async compare(step: Command): Promise<void> {
    const all = { includeDeleted: true } as const
    const byId = <T extends { id: number | string }>(rows: Iterable<T>): T[] => [...rows].toSorted((a, b) => (a.id < b.id ? -1 : 1))
    const owners = (await this.owners.all(all)).map(({ id, name, count, token, deleted_at }) => ({
      id,
      name,
      count,
      token,
      deleted: deleted_at !== null,
    }))
    const locks = (await this.locks.all(all)).map(({ id, owner_id, deleted_at }) => ({ id, owner_id, deleted: deleted_at !== null }))
    const { world } = this
    const says = JSON.stringify(step)
    expect(owners, says).toEqual(byId(world.owners.values()))
    expect(await this.parts.all(), says).toEqual(byId(world.parts.values()))
    expect(await this.labels.all(), says).toEqual(byId(world.labels.values()))
    expect(locks, says).toEqual(byId(world.locks.values()))
    const fresh = (await this.storage.audit.find({ limit: 200 })).filter((entry) => entry.id > this.#lastEntry)
    this.#lastEntry = Math.max(this.#lastEntry, ...fresh.map((entry) => entry.id))
    expect(fresh.map(comparable).toSorted(), says).toEqual(world.entries.map((entry) => JSON.stringify(entry, sorted)).toSorted())
    for (const entry of fresh) expect(entry.component === 'labels' || entry.actor === 'tester').toBe(true)
    world.entries = []
  }

  /** Each record's entries follow each other without a gap, stamps and all, and the last one shows what is stored. */
  async compareChains(): Promise<void> {
    const current = new Map<string, object>()
    for (const row of await this.owners.all({ includeDeleted: true }))
      current.set(`owners ${row.id}`, recordToJson(Owner, row, { secrets: 'mask' }))
    const last = new Map<string, AuditEntry>()
    for (const entry of (await this.storage.audit.find({ component: 'owners' })).reverse()) {
      if (entry.id <= this.#firstEntry) continue
      const key = `owners ${entry.record_id}`
      expect(entry.before).toEqual(last.get(key)?.after ?? null)
      last.set(key, entry)
    }
    for (const [key, row] of current) expect(JSON.parse(JSON.stringify(row))).toEqual(last.get(key)?.after)
    for (const [key, entry] of last) if (!current.has(key)) expect(entry.after).toBeNull()
  }
}

function isForeseen(error: unknown): boolean {
  const { code } = error as { code?: string }
  return (
    error instanceof Stop ||
    ['validation_failed', 'unique_conflict', 'reference_conflict', 'state_conflict', 'not_found'].includes(code ?? '')
  )
}

const sorted = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value

/** An entry in the model's terms: stamps left out, and only whether it is deleted. */
function comparable({ component, operation, record_id: id, before, after }: AuditEntry): string {
  const image = (value: AuditEntry['after']): object | null => {
    if (value === null) return null
    const { deleted_at, created_at, updated_at, created_by, updated_by, ...rest } = value
    return deleted_at === undefined ? rest : { ...rest, deleted: deleted_at !== null }
  }
  return JSON.stringify({ component, operation, id, before: image(before), after: image(after) }, sorted)
}
