import type { FieldValues } from '../query/bound-table.ts'
import { type LeafFields, leafHash, leafText, linkHash, linkHashOf, merkleRoot, originHash, placedText } from './digest.ts'

/** Where a log stands: what the next entry follows. */
export interface ChainHead {
  readonly epoch: number
  /** The last position; 0 before the first entry. */
  readonly seq: number
  readonly hash: Uint8Array
  /** No entry after this one counts as done before; null before the first. */
  readonly effective_at: Date | null
  /** The transaction of the last entry. */
  readonly transaction_id: string | null
  /** The highest id of an entry that has a position. */
  readonly last_entry: number
}

/** The columns of the head's row that make a ChainHead. */
export const chainHeadColumns = ['epoch', 'seq', 'hash', 'effective_at', 'transaction_id', 'last_entry', 'origin'] as const

/** Reads where a log stands out of its head's row. */
export function chainHead(row: FieldValues): ChainHead {
  // The row was read through AuditHead, whose fields have these types.
  const stored = row as {
    epoch: number
    seq: number
    hash: Uint8Array | null
    effective_at: Date | null
    transaction_id: string | null
    last_entry: number | null
    origin: string | null
  }
  return {
    epoch: stored.epoch,
    seq: stored.seq,
    hash: stored.hash ?? originHash(stored.origin ?? ''),
    effective_at: stored.effective_at,
    transaction_id: stored.transaction_id,
    last_entry: stored.last_entry ?? 0,
  }
}

/** An entry that is about to get its place. */
export type ChainedEntry = Omit<LeafFields, 'id' | 'epoch' | 'seq' | 'effective_at'> & { readonly id?: number | undefined }

/** The columns that an entry gets with its place. */
export const placeNames = ['epoch', 'seq', 'effective_at', 'prev_hash', 'hash', 'leaf'] as const

/** What an entry gets with its place. */
export interface ChainPlace {
  readonly id: number
  readonly epoch: number
  readonly seq: number
  readonly effective_at: Date
  readonly prev_hash: Uint8Array
  readonly hash: Uint8Array
  /** Its own part in a link of several; null where the link is its own. */
  readonly leaf: Uint8Array | null
}

/** The later of two instants; the first where there is no second. */
export function later(moment: Date, other: Date | null): Date {
  return other !== null && other.getTime() > moment.getTime() ? other : moment
}

/** Gives each entry a link of its own, behind the head. Entries of one transaction count as done at one instant. */
export function chainEntries(
  head: ChainHead,
  entries: readonly ChainedEntry[],
): { readonly places: readonly ChainPlace[]; readonly head: ChainHead } {
  let { seq, hash, effective_at, transaction_id, last_entry } = head
  const places: ChainPlace[] = []
  for (const entry of entries) {
    const goesOn = entry.transaction_id === transaction_id && effective_at !== null
    const effective: Date = goesOn && effective_at !== null ? effective_at : later(entry.timestamp, effective_at)
    const id = entry.id ?? last_entry + 1
    seq += 1
    const next = linkHashOf(hash, placedText(entry, { id, epoch: head.epoch, seq, effective_at: effective }))
    places.push({ id, epoch: head.epoch, seq, effective_at: effective, prev_hash: hash, hash: next, leaf: null })
    hash = next
    effective_at = effective
    transaction_id = entry.transaction_id
    last_entry = Math.max(last_entry, id)
  }
  return { places, head: { epoch: head.epoch, seq, hash, effective_at, transaction_id, last_entry } }
}

/** Gives entries one link together, behind the head; each comes with the instant at which its transaction was done. */
export function sealEntries(
  head: ChainHead,
  entries: readonly (ChainedEntry & { readonly id: number; readonly doneAt: Date })[],
): { readonly places: readonly ChainPlace[]; readonly head: ChainHead } {
  let { seq, effective_at, transaction_id, last_entry } = head
  const placed = entries.map(({ doneAt, ...entry }) => {
    seq += 1
    effective_at = later(doneAt, effective_at)
    transaction_id = entry.transaction_id
    last_entry = Math.max(last_entry, entry.id)
    return { ...entry, epoch: head.epoch, seq, effective_at }
  })
  const leaves = placed.map((entry) => leafHash(leafText(entry)))
  const hash = linkHash(head.hash, merkleRoot(leaves))
  const places = placed.map(({ id, epoch, seq: position, effective_at: effective }, index) => {
    const leaf = leaves.length > 1 ? (leaves[index] ?? null) : null
    return { id, epoch, seq: position, effective_at: effective, prev_hash: head.hash, hash, leaf }
  })
  return { places, head: { epoch: head.epoch, seq, hash, effective_at, transaction_id, last_entry } }
}
