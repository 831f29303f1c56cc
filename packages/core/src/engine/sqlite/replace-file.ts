import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { StorageBusyError } from '../../errors.ts'
import { bringIn, checkpoint } from './checkpoint.ts'
import { isBusy, mapError } from './errors.ts'
import { type FileConnection, openFile } from './file-connection.ts'

/** How a live database file gets the content of another one. */
export interface Replacement {
  readonly live: string
  /** A private file with the live one's page size, on the same disk. It is written to, and files are made beside it. */
  readonly staged: string
  /** Where what the live database held stays. */
  readonly safety: string
  /**
   * Called while nobody else can write: what it writes to the staged file goes along. It may be called again, when a try was in vain.
   */
  readonly prepare: (staged: FileConnection, live: FileConnection) => void
  /** Whether the database holds what was prepared: the driver also resolves where it has done nothing. */
  readonly arrived: (live: FileConnection) => boolean
  /** Milliseconds to try for the lock, and for old readers to end. */
  readonly patience: number
  /** Is told where the work stands. */
  readonly tell: (step: 'locked' | 'kept' | 'prepared' | 'copying' | 'replaced' | 'synced') => void
}

/** Pages that are copied at a time; messages to this thread get their turn in between. */
const pagesPerStep = 5_000

/** Milliseconds between two tries. */
const retryPause = 20

/**
 * Copies a file into a database that others have open, with SQLite's own backup (https://sqlite.org/backup.html): readers go on with what
 * they see, writers wait, and a crash leaves the old content or the new one. Answers whether the log could be emptied into the file.
 */
export async function replaceFile(replacement: Replacement): Promise<{ readonly checkpointed: boolean }> {
  const staged = await openFile(replacement.staged, { readonly: false })
  const live = await openFile(replacement.live, { readonly: true })
  // It is private: nothing of it has to be on the disk, and no log beside it.
  for (const pragma of ['journal_mode = DELETE', 'synchronous = OFF']) staged.database.pragma(pragma)
  const giveUpAt = performance.now() + replacement.patience
  try {
    while (!(await copyOnce(replacement, staged, live))) {
      if (performance.now() >= giveUpAt) throw new StorageBusyError('Another process holds the database. Nothing was restored; try again.')
      await pause(retryPause)
    }
  } catch (error) {
    throw mapError(error)
  } finally {
    staged.close()
    live.close()
  }
  // Before writers come back: the first of them would wait for all of it in its commit, and its thread with it.
  syncLog(replacement.live)
  replacement.tell('replaced')
  const checkpointed = await emptyLog(replacement.live, performance.now() + replacement.patience)
  replacement.tell('synced')
  return { checkpointed }
}

/** False when somebody else held the lock, and nothing was done. */
async function copyOnce(
  { live: path, staged: stagedPath, safety, prepare, arrived, tell }: Replacement,
  staged: FileConnection,
  live: FileConnection,
): Promise<boolean> {
  let prepared = false
  try {
    await staged.database.backup(path, {
      progress: () => {
        if (prepared) {
          tell('copying')
          return pagesPerStep
        }
        // The first call comes when the write lock is held and nothing is copied yet.
        prepared = true
        tell('locked')
        keepSafetyCopy(live, safety, `${stagedPath}-safety`)
        tell('kept')
        prepare(staged, live)
        tell('prepared')
        return pagesPerStep
      },
    })
  } catch (error) {
    if (prepared) rmSync(safety, { force: true })
    if (isBusy(error)) return false
    throw error
  }
  return prepared && arrived(live)
}

/** It is made beside the staged file, where nothing stays that is not whole. */
function keepSafetyCopy(live: FileConnection, path: string, partial: string): void {
  rmSync(partial, { force: true })
  live.run('VACUUM INTO ?', [partial])
  chmodSync(partial, 0o600)
  sync(partial)
  renameSync(partial, path)
  sync(dirname(path))
}

function sync(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/**
 * Brings the content to the disk: a power loss just after the copy brought the old file back (measured), and a checkpoint syncs the log only
 * where readers let it copy something.
 */
function syncLog(path: string): void {
  const log = `${path}-wal`
  // SQLite holds no locks on this file, which closing it would lose.
  if (existsSync(log)) sync(log)
}

/** Brings the content out of the write-ahead log, into the file. */
async function emptyLog(path: string, giveUpAt: number): Promise<boolean> {
  let file: FileConnection | undefined
  try {
    file = await openFile(path, { readonly: false, timeout: 100 })
    file.database.pragma('synchronous = FULL')
    for (;;) {
      // Writers, who are there again, wait for the rest alone.
      if (!bringIn(file.database).isHeld && !checkpoint(file.database, 'TRUNCATE').busy) return true
      if (performance.now() >= giveUpAt) return false
      await pause(retryPause)
    }
  } catch {
    // The new content is there, and on the disk: one that is too full to have it in the file has it in the log.
    return false
  } finally {
    file?.close()
  }
}
