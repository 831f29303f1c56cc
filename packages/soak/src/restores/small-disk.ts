import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { tempFolder } from '@strongroom/testkit'

/** A file system in memory that can be filled up, and have room again. */
export interface SmallDisk {
  readonly path: string
  /** Leaves so many bytes, at once. */
  fill(left: number): void
  makeRoom(): void
  /** Makes the disk itself larger. */
  grow(megabytes: number): void
  remove(): Promise<void>
}

const block = 65_536

/** Mounts a small tmpfs. Needs the right to mount. */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk> {
  const folder = await tempFolder('small-disk')
  const path = join(folder.path, 'disk')
  mkdirSync(path)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path])
  const ballast = join(path, 'ballast')
  return {
    path,
    fill: (left) => fill(path, ballast, left),
    makeRoom: () => rmSync(ballast, { force: true }),
    grow: (more) => void execFileSync('mount', ['-o', `remount,size=${more}m`, path]),
    remove: async () => {
      execFileSync('umount', [path])
      await folder.remove()
    },
  }
}

function fill(path: string, ballast: string, left: number): void {
  const file = openSync(ballast, 'w')
  const bytes = Buffer.alloc(block)
  try {
    for (;;) {
      const { bavail, bsize } = statfsSync(path)
      const most = Math.min(block, bavail * bsize - left)
      if (most <= 0) return
      writeSync(file, bytes, 0, most)
    }
  } catch (error) {
    // Somebody else may have taken the last of it.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  } finally {
    closeSync(file)
  }
}
