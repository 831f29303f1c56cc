/** A record of the in-memory model: fields that a reader of the log sees, and the secret. */
export interface OwnerState {
  readonly id: number
  name: string
  count: number | null
  token: string | null
  deleted: boolean
}
export interface PartState {
  readonly id: string
  owner_id: number
  text: string
}
export interface LabelState {
  readonly id: number
  owner_id: number | null
}
export interface LockState {
  readonly id: number
  owner_id: number
  deleted: boolean
}

/** What the log has to say: a component, an operation, and what was before and after. */
export interface ExpectedEntry {
  readonly component: 'owners' | 'parts' | 'labels' | 'locks'
  readonly operation: string
  readonly id: number | string
  readonly before: object | null
  readonly after: object | null
}

/** A write that cannot succeed. */
export class Refused extends Error {}

/** What the documentation promises, without a database: rows, and the entries that each write leaves. */
export class World {
  owners = new Map<number, OwnerState>()
  parts = new Map<string, PartState>()
  labels = new Map<number, LabelState>()
  locks = new Map<number, LockState>()
  entries: ExpectedEntry[] = []

  copy(): World {
    return Object.assign(
      new World(),
      structuredClone({ owners: this.owners, parts: this.parts, labels: this.labels, locks: this.locks, entries: this.entries }),
    )
  }

  /** Runs a write; when it is refused, everything is as before. */
  attempt(write: (world: World) => void): boolean {
    const saved = this.copy()
    try {
      write(this)
      this.#assertUnique()
      return true
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      Object.assign(this, saved)
      return false
    }
  }

  insertOwner(owner: OwnerState): void {
    refuseIf(this.owners.has(owner.id) || owner.count === 13 || owner.count === 66 || owner.name === '')
    this.owners.set(owner.id, owner)
    this.#note('owners', 'create', owner.id, null, ownerImage(owner))
  }

  changeOwner(id: number, patch: Partial<OwnerState>, operation: 'update' | 'restore' = 'update'): void {
    const owner = this.owners.get(id)
    refuseIf(!owner)
    const next = { ...(owner as OwnerState), ...patch }
    if (operation === 'update') refuseIf(next.count === 13)
    refuseIf(next.name === '')
    if (JSON.stringify(next) === JSON.stringify(owner)) return
    this.owners.set(id, next)
    this.#note('owners', operation, id, ownerImage(owner as OwnerState), ownerImage(next))
    refuseIf(operation === 'update' && next.count === 66)
  }

  deleteOwners(ids: readonly number[], mode: 'soft' | 'hard'): void {
    for (const id of ids) {
      const blocking = [...this.locks.values()].filter((lock) => lock.owner_id === id && (mode === 'hard' || !lock.deleted))
      refuseIf(blocking.length > 0)
      for (const part of [...this.parts.values()]) if (part.owner_id === id) this.deletePart(part.id)
      for (const label of this.labels.values()) if (label.owner_id === id) this.changeLabel(label.id, null)
      const owner = this.owners.get(id) as OwnerState
      if (mode === 'hard') {
        this.owners.delete(id)
        this.#note('owners', 'purge', id, ownerImage(owner), null)
      } else {
        this.owners.set(id, { ...owner, deleted: true })
        this.#note('owners', 'soft_delete', id, ownerImage(owner), ownerImage({ ...owner, deleted: true }))
      }
    }
  }

  savePart(part: PartState): void {
    refuseIf(!this.owners.has(part.owner_id))
    const before = this.parts.get(part.id)
    if (before && JSON.stringify(before) === JSON.stringify(part)) return
    this.parts.set(part.id, part)
    this.#note('parts', before ? 'update' : 'create', part.id, before ?? null, part)
  }

  deletePart(id: string): void {
    const part = this.parts.get(id)
    refuseIf(!part || part.text === 'stuck')
    this.parts.delete(id)
    this.#note('parts', 'delete', id, part ?? null, null)
  }

  insertLabel(id: number, owner: number | null): void {
    refuseIf(owner !== null && !this.owners.has(owner))
    this.labels.set(id, { id, owner_id: owner })
    this.#note('labels', 'create', id, null, { id, owner_id: owner })
  }

  changeLabel(id: number, owner: number | null): void {
    const label = this.labels.get(id)
    refuseIf(!label || (owner !== null && !this.owners.has(owner)))
    if (label?.owner_id === owner) return
    this.labels.set(id, { id, owner_id: owner })
    this.#note('labels', 'update', id, { ...label }, { id, owner_id: owner })
  }

  insertLock(id: number, owner: number): void {
    refuseIf(!this.owners.has(owner))
    this.locks.set(id, { id, owner_id: owner, deleted: false })
    this.#note('locks', 'create', id, null, { id, owner_id: owner, deleted: false })
  }

  deleteLock(id: number, mode: 'soft' | 'hard'): void {
    const lock = this.locks.get(id) as LockState
    if (mode === 'hard') this.locks.delete(id)
    else this.locks.set(id, { ...lock, deleted: true })
    this.#note('locks', mode === 'hard' ? 'purge' : 'soft_delete', id, { ...lock }, mode === 'hard' ? null : { ...lock, deleted: true })
  }

  liveOwners(): OwnerState[] {
    return [...this.owners.values()].filter((owner) => !owner.deleted).toSorted((a, b) => a.id - b.id)
  }

  #assertUnique(): void {
    const names = this.liveOwners().map((owner) => owner.name)
    refuseIf(new Set(names).size < names.length)
  }

  #note(component: ExpectedEntry['component'], operation: string, id: number | string, before: object | null, after: object | null): void {
    this.entries.push({ component, operation, id, before: before && { ...before }, after: after && { ...after } })
  }
}

export function refuseIf(condition: boolean): void {
  if (condition) throw new Refused()
}

/** What the log shows of an owner. */
export function ownerImage(owner: OwnerState): object {
  return { ...owner, token: '[secret]' }
}
