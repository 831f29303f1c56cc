import type { Dice } from './dice.ts'
import type { Draft } from './request.ts'

type Row = Readonly<Record<string, unknown>>

/** Records, queries or values of one kind that are kept; older ones make room. */
const mostKept = 120

/** What earlier answers gave, so that requests reach what is there. */
export class Pool {
  /** By component: the ids of records that were there when last heard of, each with its entity tag where that is known. */
  readonly #live = new Map<string, Map<string, string | undefined>>()
  /** By component: the ids of soft-deleted records. */
  readonly #deleted = new Map<string, Map<string, undefined>>()
  /** By operation: requests that were done once for a key. */
  readonly #keyed = new Map<string, Draft[]>()
  /** By media type: the file that came last. */
  readonly #files = new Map<string, Buffer>()
  readonly #rows = new Map<string, Row[]>()
  /** By operation: queries that a `Link` header gave. */
  readonly #links = new Map<string, string[]>()
  /** By component and field: how often the ids of each component were good, and how often not. */
  readonly #references = new Map<string, Map<string, { good: number; bad: number }>>()

  isLive(tag: string, id: string, entityTag?: string): void {
    this.#deleted.get(tag)?.delete(id)
    put(this.#live, tag, id, entityTag)
  }

  isDeleted(tag: string, id: string): void {
    this.#live.get(tag)?.delete(id)
    put(this.#deleted, tag, id, undefined)
  }

  isGone(tag: string, id: string): void {
    this.#live.get(tag)?.delete(id)
    this.#deleted.get(tag)?.delete(id)
  }

  sawFile(mediaType: string, file: Buffer): void {
    this.#files.set(mediaType, file)
  }

  file(mediaType: string): Buffer | undefined {
    return this.#files.get(mediaType)
  }

  /** The database holds something else now. */
  forgetAll(): void {
    for (const kept of [this.#live, this.#deleted, this.#keyed]) kept.clear()
  }

  /** Knows nothing of the component's records any more. */
  forget(tag: string): void {
    this.#live.delete(tag)
  }

  isKnown(tag: string, id: string): boolean {
    return this.#live.get(tag)?.has(id) ?? false
  }

  liveCount(tag: string): number {
    return this.#live.get(tag)?.size ?? 0
  }

  liveId(tag: string, dice: Dice): string | undefined {
    return dice.pick([...(this.#live.get(tag)?.keys() ?? [])])
  }

  deletedId(tag: string, dice: Dice): string | undefined {
    return dice.pick([...(this.#deleted.get(tag)?.keys() ?? [])])
  }

  entityTag(tag: string, id: string): string | undefined {
    return this.#live.get(tag)?.get(id)
  }

  /** Keeps the values of a record for filters. */
  sawRow(tag: string, row: Row): void {
    keep(this.#rows, tag, row)
  }

  row(tag: string, dice: Dice): Row | undefined {
    return dice.pick(this.#rows.get(tag) ?? [])
  }

  sawLink(operation: string, query: string): void {
    keep(this.#links, operation, query)
  }

  link(operation: string, dice: Dice): string | undefined {
    return dice.pick(this.#links.get(operation) ?? [])
  }

  /** Keeps a request that was done for its Idempotency-Key. */
  sawKeyed(draft: Draft): void {
    keep(this.#keyed, draft.operation.name, draft)
  }

  keyed(operation: string, dice: Dice): Draft | undefined {
    return dice.pick(this.#keyed.get(operation) ?? [])
  }

  /** The component to whose records a field seems to point: one whose ids were good there, or that is still to be tried. */
  source(tag: string, field: string, candidates: readonly string[], dice: Dice): string | undefined {
    const known = this.#references.get(`${tag}.${field}`)
    const scored = candidates.map((source) => {
      const { good, bad } = known?.get(source) ?? { good: 1, bad: 1 }
      return { source, score: good / (good + bad) }
    })
    const best = Math.max(...scored.map(({ score }) => score))
    return dice.pick(scored.filter(({ score }) => score >= best * 0.9))?.source
  }

  learnedReference(tag: string, field: string, source: string, good: boolean): void {
    const key = `${tag}.${field}`
    const known = this.#references.get(key) ?? new Map<string, { good: number; bad: number }>()
    this.#references.set(key, known)
    const count = known.get(source) ?? { good: 1, bad: 1 }
    known.set(source, good ? { ...count, good: count.good + 4 } : { ...count, bad: count.bad + 1 })
  }
}

function keep<T>(kept: Map<string, T[]>, name: string, value: T): void {
  const values = kept.get(name) ?? []
  kept.set(name, values)
  values.push(value)
  if (values.length > mostKept) values.shift()
}

function put<T>(kept: Map<string, Map<string, T>>, tag: string, id: string, value: T): void {
  const ids = kept.get(tag) ?? new Map<string, T>()
  kept.set(tag, ids)
  // What was heard of last stands last.
  ids.delete(id)
  ids.set(id, value)
  const [oldest] = ids.keys()
  if (ids.size > mostKept && oldest !== undefined) ids.delete(oldest)
}
