import type { BackupLog, BackupRecord } from './backup-log.ts'
import type { BackupTarget } from './backup-target.ts'

/** Tries without a file that are remembered, e.g. failed ones. */
const rememberedFailures = 100

/** Tries that are looked at: more than this many backups are not kept in order. */
const mostRecords = 10_000

/** Removes the oldest backups beyond `keep`, but never the last that is known to be whole, nor files that nobody here has made. */
export async function removeOldest(
  log: BackupLog,
  target: Pick<BackupTarget, 'list' | 'remove'>,
  { keep, place }: { readonly keep: number; readonly place: string },
): Promise<void> {
  const names = new Set(await target.list())
  const done = (await log.newest(mostRecords)).filter((record) => record.finished_at !== null && record.place === place)
  const { present, absent } = Object.groupBy(done, ({ name }) => (names.has(name) ? 'present' : 'absent'))
  for (const { id, name } of oldest(present ?? [], keep)) {
    await target.remove(name)
    await log.forget([id])
  }
  await log.markGone((absent ?? []).filter(({ bytes, error }) => bytes !== null && error === null))
  await log.forget((absent ?? []).slice(rememberedFailures).map(({ id }) => id))
}

/** `records` are newest first. */
function oldest(records: readonly BackupRecord[], keep: number): BackupRecord[] {
  const lastWhole = records.find(({ verified }) => verified)
  return records.filter((record, index) => index >= keep && record !== lastWhole)
}
