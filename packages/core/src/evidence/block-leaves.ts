import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import { blockSize, blocksUpTo } from '../audit/block-tree.ts'
import { digestBytes, nodeHash, originHash, splitOf } from '../audit/digest.ts'
import type { CheckedHead } from '../audit/log-check.ts'
import { hasOwnIndex, lastUpTo } from '../audit/positions.ts'
import type { LogTables } from '../audit/seal-pending.ts'
import { runTask, type Task } from '../session/task.ts'

/** Blocks that are looked up at a time: a few milliseconds, in which nobody else is served. */
const atATime = 500

/** The leaves of a log's tree up to a position, of which those of removed entries are known as the roots of their subtrees alone. */
export class BlockLeaves {
  readonly #known = new Map<string, Uint8Array>()
  readonly count: number

  private constructor(leaves: readonly Uint8Array[], kept: number, roots: Uint8Array) {
    this.count = kept + leaves.length
    leaves.forEach((leaf, index) => void this.#known.set(rangeName(kept + index, kept + index + 1), leaf))
    let at = 0
    let start = 0
    for (let height = Math.floor(Math.log2(Math.max(1, kept))); height >= 0; height--) {
      const size = 2 ** height
      if (Math.floor(kept / size) % 2 === 0) continue
      this.#known.set(rangeName(start, start + size), roots.subarray(at, at + digestBytes))
      at += digestBytes
      start += size
    }
  }

  /**
   * Reads the leaves up to a position. Undefined where what was removed has left too little for a tree, or the log ends before.
   */
  static async upTo(size: number, head: CheckedHead, tables: LogTables): Promise<BlockLeaves | undefined> {
    const gone = Math.max(0, head.retained_below - 1)
    if (size > head.seq || size < gone || (gone > 0 && !head.retained_roots)) return undefined
    const kept = blocksUpTo(gone)
    const leaves: Uint8Array[] = []
    for (let block = kept + 1; block <= blocksUpTo(size); block += atATime) {
      const last = Math.min(block + atATime - 1, blocksUpTo(size))
      leaves.push(...(await hashesAt(block * blockSize, last * blockSize, head, tables)))
      await nextTurn()
    }
    if (size % blockSize !== 0 || size === 0) leaves.push(...(await hashesAt(size, size, head, tables)))
    return new BlockLeaves(leaves, kept, head.retained_roots ?? new Uint8Array())
  }

  root(): Uint8Array {
    return this.#range(0, this.count)
  }

  /** The inclusion path of a leaf (RFC 9162, 2.1.3.1), from the leaf upwards. */
  path(index: number): Uint8Array[] {
    const path: Uint8Array[] = []
    let [start, end] = [0, this.count]
    while (end - start > 1) {
      const split = start + splitOf(end - start)
      if (index < split) {
        path.unshift(this.#range(split, end))
        end = split
      } else {
        path.unshift(this.#range(start, split))
        start = split
      }
    }
    return path
  }

  #range(start: number, end: number): Uint8Array {
    const known = this.#known.get(rangeName(start, end))
    if (known) return known
    if (end - start < 2) throw new Error('this leaf was removed')
    const split = start + splitOf(end - start)
    return nodeHash(this.#range(start, split), this.#range(split, end))
  }
}

function rangeName(start: number, end: number): string {
  return `${start} ${end}`
}

/** The hashes of the links at positions from one to another, a block apart, or of the last ones before. */
async function hashesAt(from: number, to: number, head: CheckedHead, { log }: LogTables): Promise<Uint8Array[]> {
  const { builder } = log.engine
  const before = head.retained_hash ?? originHash(head.origin)
  if (!hasOwnIndex(log)) {
    return await log.engine.read((connection) =>
      runTask(
        (function* (): Task<Uint8Array[]> {
          const hashes: Uint8Array[] = []
          for (let position = from; position <= to; position += blockSize)
            hashes.push((yield* lastUpTo(log, connection, position))?.hash ?? before)
          return hashes
        })(),
      ),
    )
  }
  const [first, last, step] = [from, to, blockSize].map((number) => sql`cast(${number} as bigint)`)
  const statement =
    sql`WITH RECURSIVE ends(position) AS (SELECT ${first} UNION ALL SELECT position + ${step} FROM ends WHERE position + ${step} <= ${last})
    SELECT position, (SELECT ${sql.ref('hash')} FROM ${sql.table(log.model.name)} WHERE seq <= position ORDER BY seq DESC LIMIT 1) AS hash
    FROM ends ORDER BY position`.compile(builder)
  const rows = await log.engine.read((connection) => connection.all(statement))
  // A column of bytes.
  return rows.map(({ hash }) => (hash as Uint8Array | null) ?? before)
}
