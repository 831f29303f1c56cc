import { BlockTree, blockSize, blocksUpTo, longestJump } from './block-tree.ts'
import { hexOf, type LeafFields, leafHex, leafTextOf, linkHex, merkleRootHex, originHash } from './digest.ts'
import type { AuditFault, AuditFaultKind } from './log-fault.ts'
import { payloadHex } from './payload.ts'

/** An entry as a check wants it: instants are RFC 3339 text, digests and the salt are in hexadecimal. */
export interface CheckedEntry extends Omit<LeafFields, 'timestamp' | 'effective_at' | 'payload_hash'> {
  readonly timestamp: string
  readonly effective_at: string
  readonly before: string | null
  readonly after: string | null
  readonly salt: string | null
  readonly payload_hash: string
  readonly prev_hash: string
  readonly hash: string
  readonly leaf: string | null
}

/** An entry that has no place yet. */
export type WaitingEntry = Pick<CheckedEntry, 'id' | 'component' | 'record_id' | 'operation' | 'before' | 'after' | 'salt' | 'payload_hash'>

const notLinked = 'The link of this entry does not hang on the one before: entries were moved, inserted, removed or rewritten.'

const changedPayload = 'The images before and after are not those that were hashed when this entry was written.'

/** What the head says of the log. */
export interface CheckedHead {
  readonly origin: string
  readonly epoch: number
  readonly seq: number
  readonly hash: Uint8Array | null
  readonly retained_below: number
  readonly retained_hash: Uint8Array | null
  readonly retained_roots: Uint8Array | null
}

/** A link whose end has not been seen. */
interface OpenLink {
  readonly first: CheckedEntry
  readonly leaves: string[]
}

/** A link whose hash is another one than its entries have, of which it is not told yet. */
interface BrokenLink {
  readonly link: CheckedEntry
  /** The entry that comes after what was found of it. */
  readonly next: CheckedEntry | undefined
  /** Entries that are still looked at for the rest of it. */
  left: number
  readonly fault: AuditFault
}

/** Entries behind a broken link among which its rest is looked for: as many as a link has at most. */
const mostInLink = 1_000

/**
 * Goes through a log in the order of its positions, in constant memory, and finds the first thing that is wrong with it. What it is told
 * after that it does not look at.
 */
export class LogCheck {
  fault: AuditFault | undefined
  /** Entries that were looked at. */
  entries = 0
  /** Entries whose payload was erased, as an entry behind them says. */
  erased = 0
  /** The last position that was reached. */
  position: number
  /** The hash of the last link that is whole, in hexadecimal. */
  hash: string
  readonly #head: CheckedHead
  readonly #onPosition: ((check: LogCheck) => void) | undefined
  readonly #blocks: BlockTree | undefined
  /** Erased records, and the first entry of each: an `erase` entry has to come. */
  readonly #unexplained = new Map<string, CheckedEntry>()
  /** Records that an `erase` entry without a place tells of. */
  readonly #explained = new Set<string>()
  /** What is wrong with entries that have no place: they come after all others. */
  #waitingFault: AuditFault | undefined
  #link: OpenLink | undefined
  #broken: BrokenLink | undefined
  #epoch = 0
  #effectiveAt = ''
  /** The hash of the link of the last entry, which may not have been checked yet. */
  #lastHash: string

  /** @param onPosition is told of each entry, when `root` is that of the log up to it */
  constructor(head: CheckedHead, onPosition?: (check: LogCheck) => void) {
    this.#head = head
    this.#onPosition = onPosition
    const gone = Math.max(0, head.retained_below - 1)
    this.position = gone
    this.hash = hexOf(gone > 0 && head.retained_hash ? head.retained_hash : originHash(head.origin))
    this.#lastHash = this.hash
    this.#blocks = gone === 0 ? new BlockTree() : head.retained_roots ? new BlockTree(blocksUpTo(gone), head.retained_roots) : undefined
  }

  /** The root of the log up to the position that was reached; undefined where what was removed has left too little for it. */
  root(): Uint8Array | undefined {
    return this.#blocks?.root(this.position % blockSize === 0 && this.position > 0 ? undefined : bytesOf(this.#lastHash))
  }

  /** What is to be kept of the blocks up to the position that was reached, where all before it goes; undefined as for `root`. */
  kept(): Uint8Array | undefined {
    return this.#blocks?.kept()
  }

  add(entry: CheckedEntry): void {
    if (this.fault) return
    if (this.#link && !isOneLink(this.#link.first, entry)) this.#closeLink(entry)
    if (this.#broken) this.#lookForTheRest(this.#broken, entry)
    if (this.fault || this.#broken || !this.#follows(entry)) return
    this.#passBlocks(entry)
    this.position = entry.seq
    this.#lastHash = entry.hash
    this.#epoch = entry.epoch
    this.#effectiveAt = entry.effective_at
    this.entries++
    this.#checkPayload(entry)
    if (this.fault) return
    const { timestamp, effective_at: effectiveAt, payload_hash: payload } = entry
    this.#checkLink(entry, leafHex(leafTextOf(entry, { timestamp, effectiveAt, payload })))
    if (this.fault) return
    if (entry.seq % blockSize === 0) this.#blocks?.append(bytesOf(entry.hash))
    this.#onPosition?.(this)
  }

  /** An entry that has no place yet; these come first, in the order of their ids. `allPlaced` says that there should be none. */
  addWaiting(entry: WaitingEntry, allPlaced: boolean): void {
    const { id, component, record_id, operation, before, after, salt, payload_hash } = entry
    if (operation === 'erase') this.#explained.add(`${component} ${record_id}`)
    const say = (kind: AuditFaultKind, detail: string): void => {
      this.#waitingFault ??= { kind, position: null, through: null, id, detail }
    }
    if (allPlaced) say('without_place', 'This entry has no place in the log: the library gives each its place as it writes it.')
    if (salt ? payloadHex(salt, before, after) !== payload_hash : before !== null || after !== null) say('payload_changed', changedPayload)
  }

  /** The log is over: what the head says of it has to be so. */
  end(): void {
    const { seq, hash, retained_below, retained_hash } = this.#head
    // Of the last link the end may be missing.
    if (!this.fault && this.#link && (this.position >= seq || this.#link.first.leaf === null)) this.#closeLink()
    this.fault ??= this.#broken?.fault
    if (this.fault) return
    const [bare] = this.#unexplained.values()
    if (bare) this.#say('payload_missing', bare, 'The images of this entry are gone, and no erase entry of its record comes after it.')
    else if (this.position < seq) {
      const detail = `The log ends at position ${this.position}, and its head says that it goes on to ${seq}.`
      this.#sayAt('cut_off', this.position + 1, seq, detail)
    } else if (this.position > seq) {
      const detail = `The head says that the log ends at position ${seq}; entries come after it.`
      this.#sayAt('beyond_head', seq + 1, this.position, detail)
    } else if (retained_below > 1 && !retained_hash && this.entries > 0) {
      const detail = 'The first entries were removed, and the head does not have the hash of the last of them.'
      this.#sayAt('head_changed', retained_below, null, detail)
    } else if (hash ? hexOf(hash) !== this.hash : seq > 0)
      this.#sayAt('head_changed', seq, null, 'The hash that the head has for the last link is not that of the last link.')
    this.fault ??= this.#waitingFault
  }

  #follows(entry: CheckedEntry): boolean {
    const { retained_below } = this.#head
    const isRestore = entry.operation === 'restore_database' && entry.epoch > this.#epoch
    if (entry.seq < retained_below)
      this.#say('not_retained', entry, `The head says that the entries below position ${retained_below} were removed; this one is there.`)
    else if (entry.seq <= this.position) this.#say('out_of_order', entry, 'Another entry has this position.')
    else if (entry.seq > this.position + 1 && !isRestore) {
      const through = entry.seq - 1
      this.#sayAt(
        'missing',
        this.position + 1,
        through === this.position + 1 ? null : through,
        `No entry is at position ${this.position + 1}: it was removed. The next one is at ${entry.seq}.`,
      )
    } else if (blocksUpTo(entry.seq) - blocksUpTo(this.position) > longestJump)
      this.#say('out_of_order', entry, `No restore passes over so many positions: the last one was ${this.position}.`)
    else if (entry.epoch < this.#epoch)
      this.#say('out_of_order', entry, `This entry is of epoch ${entry.epoch}, and comes after one of epoch ${this.#epoch}.`)
    else if (entry.effective_at < this.#effectiveAt)
      this.#say('out_of_order', entry, 'This entry counts as done before the one that it follows.')
    return !this.fault
  }

  /** Blocks that end where a restore has left no entries have the hash of the last one before. */
  #passBlocks({ seq }: CheckedEntry): void {
    if (!this.#blocks) return
    for (let block = blocksUpTo(this.position) + 1; block * blockSize < seq; block++) this.#blocks.append(bytesOf(this.#lastHash))
  }

  #checkLink(entry: CheckedEntry, leaf: string): void {
    if (entry.leaf && entry.leaf !== leaf)
      this.#say('entry_changed', entry, 'What is hashed of this entry is not what it was when it was sealed.')
    else if (this.#link) this.#link.leaves.push(leaf)
    else if (entry.prev_hash === this.hash) this.#link = { first: entry, leaves: [leaf] }
    else this.#say('not_linked', entry, notLinked)
  }

  #checkPayload(entry: CheckedEntry): void {
    const { before, after, salt, component, record_id, operation } = entry
    const record = `${component} ${record_id}`
    if (operation === 'erase') this.#unexplained.delete(record)
    if (salt) {
      if (payloadHex(salt, before, after) !== entry.payload_hash) this.#say('payload_changed', entry, changedPayload)
      return
    }
    if (before !== null || after !== null) {
      this.#say('payload_changed', entry, 'This entry has images without the salt that they were hashed with.')
      return
    }
    this.erased++
    if (!this.#unexplained.has(record) && !this.#explained.has(record)) this.#unexplained.set(record, entry)
  }

  /** @param next the entry that begins another link */
  #closeLink(next?: CheckedEntry): void {
    const link = this.#link
    if (!link) return
    this.#link = undefined
    const { first, leaves } = link
    const hash = linkHex(first.prev_hash, merkleRootHex(leaves))
    if (hash === first.hash) {
      this.hash = hash
      return
    }
    const through = first.seq + leaves.length - 1
    if (leaves.length === 1) this.#say('entry_changed', first, 'What is hashed of this entry is not what it was when it got its place.')
    else if (next && next.prev_hash !== first.hash) this.#say('not_linked', next, notLinked)
    else {
      const detail = `One of the entries from position ${first.seq} to ${through}, which were sealed together, was changed, removed or inserted.`
      this.#broken = {
        link: first,
        next,
        left: mostInLink,
        fault: { kind: 'link_changed', position: first.seq, through, id: first.id, detail },
      }
    }
  }

  /** A link that is broken may go on behind an entry that does not belong there. */
  #lookForTheRest(broken: BrokenLink, entry: CheckedEntry): void {
    if (isOneLink(broken.link, entry) && broken.next) this.#say('not_linked', broken.next, notLinked)
    else if (--broken.left === 0) this.fault = broken.fault
  }

  #say(kind: AuditFaultKind, { seq, id }: CheckedEntry, detail: string): void {
    this.fault = { kind, position: seq, through: null, id, detail }
  }

  #sayAt(kind: AuditFaultKind, position: number, through: number | null, detail: string): void {
    this.fault = { kind, position, through: through === position ? null : through, id: null, detail }
  }
}

/** Entries of links that hold several have leaves. */
function isOneLink(one: CheckedEntry, other: CheckedEntry): boolean {
  return one.leaf !== null && other.leaf !== null && one.hash === other.hash && one.prev_hash === other.prev_hash
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}
