import { digestBytes, nodeHash } from './digest.ts'

/** Positions in a block: the chain is looked up by the hashes at the ends of its blocks. */
export const blockSize = 256

/** Blocks that a jump of positions may pass over; a restore passes over those that it replaced. */
export const longestJump = 2 ** 24

/**
 * The Merkle tree (RFC 9162, 2.1.1) over the hash of the link that holds position 256, 512, … and, where the log ends within a block, that of
 * the last link. Where there is no entry at such a position it is the hash of the last one before. It grows by a leaf at a time, and keeps
 * the roots of its complete subtrees alone.
 */
export class BlockTree {
  /** By height: the root of a complete subtree, where the number of leaves has that bit. */
  readonly #subtrees: (Uint8Array | undefined)[] = []
  #count = 0

  /** @param kept what `kept` of a tree of so many leaves answered */
  constructor(count = 0, kept: Uint8Array = new Uint8Array()) {
    this.#count = count
    let at = 0
    for (let height = Math.floor(Math.log2(Math.max(1, count))); height >= 0; height--) {
      if (Math.floor(count / 2 ** height) % 2 === 0) continue
      this.#subtrees[height] = kept.subarray(at, at + digestBytes)
      at += digestBytes
    }
  }

  get count(): number {
    return this.#count
  }

  /** The roots of the complete subtrees, the largest first: what a log whose first entries have gone keeps of them. */
  kept(): Uint8Array {
    return Buffer.concat(this.#subtrees.filter((root) => root !== undefined).toReversed())
  }

  append(leaf: Uint8Array): void {
    let root = leaf
    let height = 0
    for (let left = this.#subtrees[height]; left; left = this.#subtrees[height]) {
      root = nodeHash(left, root)
      this.#subtrees[height] = undefined
      height++
    }
    this.#subtrees[height] = root
    this.#count++
  }

  /** The root with the last link's hash as one more leaf, where it does not end a block. */
  root(last: Uint8Array | undefined): Uint8Array {
    let root = last
    for (const subtree of this.#subtrees) {
      if (subtree) root = root ? nodeHash(subtree, root) : subtree
    }
    if (!root) throw new Error('a tree has leaves')
    return root
  }
}

/** How many blocks end at this position or before. */
export function blocksUpTo(position: number): number {
  return Math.floor(position / blockSize)
}
