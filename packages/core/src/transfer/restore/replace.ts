import { basename } from 'node:path'
import { logGuard } from '../../audit/append-only.ts'
import { AuditHead, AuditLog } from '../../audit/audit-log.ts'
import { type ChainHead, chainHead } from '../../audit/chain.ts'
import {
  applyRowRules,
  type FileConnection,
  portableCodec,
  portableGuard,
  portableUnguard,
  replaceFile,
} from '../../engine/portable-file.ts'
import type { RowRules } from '../../engine/row-rules.ts'
import { type ColumnValue, type MeetingLogs, type RestoreDeed, recordRestore } from './restore-entry.ts'
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
  let epoch = 0
  let stagedHead: ChainHead | undefined
  let tried = false
  await replaceFile({
    live: task.live,
    staged: task.staged,
    safety: task.safety,
    patience: task.patience,
    tell,
    prepare: (staged, live) => {
      stagedHead ??= headOf(staged)
      staged.run('BEGIN')
      if (tried) takeBack(staged, task)
      tried = true
      advanceIds(staged, live)
      applyRowRules(staged, live, task.rules)
      epoch = writeEntry(staged, task, { live: headOf(live), staged: stagedHead, unsealed: 0, safety: basename(task.safety) })
      staged.run('COMMIT')
    },
    arrived: (live) => entriesOf(live, task) > 0,
  })
  return { epoch, safety: task.safety }
}

/** A try that was in vain has left its entry in the private file, whose triggers know no way back. */
function takeBack(staged: FileConnection, { context }: ReplaceTask): void {
  for (const sql of portableUnguard(logGuard)) staged.run(sql)
  staged.run(`DELETE FROM "${AuditLog.name}" WHERE transaction_id = ?`, [context.unitId])
  for (const sql of portableGuard(logGuard)) staged.run(sql)
}

function headOf(file: FileConnection): ChainHead {
  const [row = {}] = file.all(`SELECT * FROM "${AuditHead.name}"`)
  const decoded = AuditHead.fields.map((field) => {
    const stored = row[field.name]
    return [field.name, stored === null || stored === undefined ? null : portableCodec(field).decode(stored)]
  })
  return chainHead(Object.fromEntries(decoded))
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

/** Answers the new epoch. */
function writeEntry(staged: FileConnection, task: ReplaceTask, logs: MeetingLogs): number {
  const { epoch, entry, head } = recordRestore(task, logs)
  const encoded = (values: readonly ColumnValue[]): unknown[] =>
    values.map((column) => (column.value === null ? null : portableCodec(column).encode(column.value)))
  const names = (values: readonly ColumnValue[]): string[] => values.map(({ name }) => `"${name}"`)
  staged.run(`INSERT INTO "${AuditLog.name}" (${names(entry).join(', ')}) VALUES (${entry.map(() => '?').join(', ')})`, encoded(entry))
  staged.run(
    `UPDATE "${AuditHead.name}" SET ${names(head)
      .map((name) => `${name} = ?`)
      .join(', ')}`,
    encoded(head),
  )
  return epoch
}

function entriesOf(file: FileConnection, { context }: ReplaceTask): number {
  const [row] = file.all(`SELECT count(*) AS count FROM "${AuditLog.name}" WHERE transaction_id = ?`, [context.unitId])
  return Number(row?.['count'])
}
