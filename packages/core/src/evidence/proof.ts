import { blockSize } from '../audit/block-tree.ts'
import { type LeafFields, leafHash, leafText, linkHash, merkleRoot, nodeHash, splitOf } from '../audit/digest.ts'
import { ofAnyComponent } from '../audit/positions.ts'
import type { LogTables } from '../audit/seal-pending.ts'
import type { Connection } from '../engine/engine.ts'
import { ConflictError } from '../errors.ts'
import type { BoundTable, FieldValues } from '../query/bound-table.ts'
import { allOf } from '../query/filter.ts'
import { positionField } from '../query/log-position.ts'
import { selectRows } from '../query/rows.ts'
import { runTask, type Task } from '../session/task.ts'
import { readTree } from './log-head.ts'

/** Shows that an entry is in the log that a checkpoint tells of. All hashes are hexadecimal. */
export interface InclusionProof {
  readonly id: number
  readonly position: number
  /** What is hashed of the entry: RFC 8785 text. */
  readonly leaf: string
  /** The link that the entry is in: what comes before it, and the entry's place among those that were sealed together. */
  readonly link: { readonly previous: string; readonly index: number; readonly size: number; readonly path: readonly string[] }
  /** The roots of the links that follow, up to the end of the block. */
  readonly chain: readonly string[]
  /** The block's place in the tree. */
  readonly tree: { readonly index: number; readonly size: number; readonly path: readonly string[] }
  readonly origin: string
  /** The root that the proof leads to is that of the log up to this position. */
  readonly size: number
  readonly root: string
}

/** The most entries of a link. */
const longestLink = 1_000

/**
 * Proves that an entry is in the log.
 * @param size the position of a checkpoint; the log as it stands now unless said
 * @throws ConflictError where the checkpoint does not reach to the entry, or the log has no root there
 */
export async function prove(
  tables: LogTables,
  entry: { readonly id: number; readonly position: number },
  size?: number,
): Promise<InclusionProof> {
  const { head, leaves, size: end } = await readTree(tables, size)
  const { id, position } = entry
  if (position > end)
    throw new ConflictError(
      'state_conflict',
      `The entry has position ${position}; a proof for the log up to position ${end} does not reach to it.`,
    )
  const blockEnd = Math.min(Math.ceil(position / blockSize) * blockSize, end)
  const links = await linksBetween(tables, position, blockEnd)
  const own = links[0]
  const index = own?.entries.findIndex((candidate) => candidate.id === id) ?? -1
  const found = own?.entries[index]
  if (!own || !found) throw new ConflictError('state_conflict', 'The log was replaced while the proof was made. Try again.')
  const hashes = own.entries.map(hashOf)
  const block = Math.ceil(blockEnd / blockSize) - 1
  return {
    id,
    position,
    leaf: leafText(found),
    link: { previous: hex(own.previous), index, size: hashes.length, path: pathIn(hashes, index).map(hex) },
    chain: links.slice(1).map(({ entries }) => hex(merkleRoot(entries.map(hashOf)))),
    tree: { index: block, size: leaves.count, path: leaves.path(block).map(hex) },
    origin: head.origin,
    size: end,
    root: hex(leaves.root()),
  }
}

interface Link {
  readonly previous: Uint8Array
  readonly hash: Uint8Array
  readonly entries: LeafFields[]
}

const columns = [
  ...['id', 'timestamp', 'component', 'record_id', 'operation', 'actor', 'request_id', 'transaction_id', 'tenant', 'schema_version'],
  ...['epoch', 'seq', 'effective_at', 'payload_hash', 'prev_hash', 'hash'],
] as const

/** The links from the one with a position to the one with another, as wholes. */
async function linksBetween({ log }: LogTables, from: number, to: number): Promise<Link[]> {
  const rows = await log.engine.read((connection) => runTask(entriesBetween(log, connection, from - longestLink, to + longestLink)))
  const links: Link[] = []
  for (const row of rows) {
    // The row was read through AuditLog, whose fields have these types.
    const entry = row as unknown as LeafFields & { readonly prev_hash: Uint8Array; readonly hash: Uint8Array }
    const last = links.at(-1)
    if (last && Buffer.compare(last.hash, entry.hash) === 0) last.entries.push(entry)
    else links.push({ previous: entry.prev_hash, hash: entry.hash, entries: [entry] })
  }
  // A restore passes over positions: what stands at the end of the block is then the last entry before.
  return links.filter(({ entries }) => (entries.at(-1)?.seq ?? 0) >= from && (entries[0]?.seq ?? 0) <= to)
}

/** The entries between two positions, both left out. */
function* entriesBetween(log: BoundTable, connection: Connection, from: number, to: number): Task<FieldValues[]> {
  const filter = allOf(
    yield* ofAnyComponent(log, connection),
    { type: 'compare', field: positionField, comparison: 'gt', value: from },
    { type: 'compare', field: positionField, comparison: 'lt', value: to },
  )
  const order = [{ field: positionField, descending: false }]
  return yield* selectRows(log, connection, undefined, { filter, includeDeleted: true, order, columns })
}

function hashOf(entry: LeafFields): Uint8Array {
  return leafHash(leafText(entry))
}

/** The inclusion path of a leaf (RFC 9162, 2.1.3.1), from the leaf upwards. */
function pathIn(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  if (leaves.length < 2) return []
  const split = splitOf(leaves.length)
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)]
  return index < split ? [...pathIn(left, index), merkleRoot(right)] : [...pathIn(right, index - split), merkleRoot(left)]
}

/**
 * Whether a proof leads from its entry to its root. That root is to be held against that of a checkpoint of the same size.
 *
 * @example
 * const proof = await storage.audit.proof(7, { size: checkpoint.size })
 * checkProof(proof) && proof.root === checkpoint.root && JSON.parse(proof.leaf).actor // who it was
 */
export function checkProof({ leaf, link, chain, tree, root }: InclusionProof): boolean {
  const inLink = climb(leafHash(leaf), link)
  let hash = inLink && linkHash(bytes(link.previous), inLink)
  for (const next of chain) hash &&= linkHash(hash, bytes(next))
  const reached = hash && climb(hash, tree)
  return reached !== undefined && hex(reached) === root
}

/** The root that a path leads to (RFC 9162, 2.1.3.2). */
function climb(
  leaf: Uint8Array,
  { index, size, path }: { readonly index: number; readonly size: number; readonly path: readonly string[] },
): Uint8Array | undefined {
  if (!(index >= 0 && index < size)) return undefined
  const [sibling, ...above] = path.toReversed()
  if (size === 1) return sibling === undefined ? leaf : undefined
  if (sibling === undefined) return undefined
  const split = splitOf(size)
  const rest = above.toReversed()
  const inner =
    index < split ? climb(leaf, { index, size: split, path: rest }) : climb(leaf, { index: index - split, size: size - split, path: rest })
  if (!inner) return undefined
  return index < split ? nodeHash(inner, bytes(sibling)) : nodeHash(bytes(sibling), inner)
}

function hex(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex')
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'hex')
}
