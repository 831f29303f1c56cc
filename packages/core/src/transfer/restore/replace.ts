import { basename } from 'node:path'
import { AuditHead, AuditLog } from '../../audit/audit-log.ts'
import { applyRowRules, type FileConnection, portableCodec, replaceFile } from '../../engine/portable-file.ts'
import type { RowRules } from '../../engine/row-rules.ts'
import { type RestoreDeed, restoreEntry } from './restore-entry.ts'
import type { RestoreStep } from './steps.ts'

/** The replacement of a live file, as another thread is asked for it. */
export interface ReplaceTask extends RestoreDeed {
  readonly live: string
  readonly staged: string
  readonly safety: string
  /** What happens to rows on the way. */
  readonly rules: RowRules
  /** Milliseconds to try for the lock. */
  readonly patience: number
}

/** What came of it. */
export interface Replaced {
  readonly epoch: number
  /** Where the replaced content is. */
  readonly safety: string
}

/** Puts a staged file in the place of the live one, with an entry that says so. Blocks the thread. */
export async function replaceDatabase(task: ReplaceTask, tell: (step: RestoreStep) => void): Promise<Replaced> {
  let ownEpoch: number | undefined
  let epoch = 0
  await replaceFile({
    live: task.live,
    staged: task.staged,
    safety: task.safety,
    patience: task.patience,
    tell,
    prepare: (staged, live) => {
      ownEpoch ??= epochOf(staged)
      epoch = Math.max(ownEpoch, epochOf(live)) + 1
      staged.run('BEGIN')
      advanceIds(staged, live)
      applyRowRules(staged, live, task.rules)
      staged.run(`UPDATE "${AuditHead.name}" SET epoch = ?`, [epoch])
      writeEntry(staged, live, task, epoch)
      staged.run('COMMIT')
    },
    arrived: (live) => entriesOf(live, task) > 0,
  })
  return { epoch, safety: task.safety }
}

function epochOf(file: FileConnection): number {
  return Number(file.all(`SELECT epoch FROM "${AuditHead.name}"`)[0]?.['epoch'] ?? 1)
}

/** Ids that were given away are not given again, also where their records are gone. */
function advanceIds(staged: FileConnection, live: FileConnection): void {
  for (const { name, seq } of live.all('SELECT name, seq FROM sqlite_sequence')) {
    staged.run('UPDATE sqlite_sequence SET seq = max(seq, CAST(? AS INTEGER)) WHERE name = ?', [seq, name])
    staged.run(
      `INSERT INTO sqlite_sequence (name, seq) SELECT ?, CAST(? AS INTEGER)
       WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?) AND EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?)`,
      [name, seq, name, name],
    )
  }
}

function writeEntry(staged: FileConnection, live: FileConnection, task: ReplaceTask, epoch: number): void {
  const [last] = live.all(`SELECT max(id) AS id FROM "${AuditLog.name}"`)
  const replaced = { epoch: epochOf(live), lastEntry: Number(last?.['id'] ?? 0) || null, safety: basename(task.safety) }
  const entry = restoreEntry(task, epoch, replaced)
  // A try that was in vain has left one.
  staged.run(`DELETE FROM "${AuditLog.name}" WHERE transaction_id = ?`, [task.context.unitId])
  const columns = entry.map(({ name }) => `"${name}"`).join(', ')
  const values = entry.map((column) => (column.value === null ? null : portableCodec(column).encode(column.value)))
  staged.run(`INSERT INTO "${AuditLog.name}" (${columns}) VALUES (${entry.map(() => '?').join(', ')})`, values)
}

function entriesOf(file: FileConnection, { context }: ReplaceTask): number {
  const [row] = file.all(`SELECT count(*) AS count FROM "${AuditLog.name}" WHERE transaction_id = ?`, [context.unitId])
  return Number(row?.['count'])
}
