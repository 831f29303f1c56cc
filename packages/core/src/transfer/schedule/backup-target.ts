import type { Readable } from 'node:stream'

/**
 * Where scheduled backups are kept: a folder (`folderTarget`), or something of your own, e.g. a bucket. One that takes or gives no byte and
 * answers nothing for ten minutes is given up: its backup counts as failed, and the stream that it reads is destroyed.
 *
 * @example
 * const bucket: BackupTarget = {
 *   place: 's3://backups/app',
 *   write: (name, bytes) => upload(name, bytes),
 *   list: () => names(),
 *   read: (name) => download(name),
 *   remove: (name) => erase(name),
 * }
 */
export interface BackupTarget {
  /** Names the place for people, in health and lists, and tells it from another one. No secret may be in it. */
  readonly place?: string
  /** Keeps a file, as a whole or not at all, and resolves when it is safe. */
  write(name: string, bytes: Readable): Promise<unknown>
  /** The names of the files that are kept; others may be among them. */
  list(): Promise<readonly string[]>
  /** Reads a file back, for its check. */
  read(name: string): Promise<Readable> | Readable
  /** Removes a file, and what a write that was cut off has left of it; nothing to remove is no failure. */
  remove(name: string): Promise<unknown>
}

/** The place of a target, for people. */
export function placeOf(target: BackupTarget): string {
  return target.place ?? 'a target of its own'
}
