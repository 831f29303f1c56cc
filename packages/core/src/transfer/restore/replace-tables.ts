import { AuditHead, AuditLog } from '../../audit/audit-log.ts'
import { chainHead } from '../../audit/chain.ts'
import { type FileConnection, openPortableFile, portableCodec } from '../../engine/portable-file.ts'
import { type FilledTable, replacePostgresTables, type TablesReplacement } from '../../engine/postgres/replace-tables.ts'
import type { CopyPlan } from '../backup/write-backup.ts'
import { ownPace } from '../worker/pace.ts'
import type { Replaced } from './replace.ts'
import { type RestoreDeed, recordRestore } from './restore-entry.ts'
import type { RestoreStep } from './steps.ts'

/** The replacement of live tables, as another thread is asked for it. */
export interface ReplaceTablesTask
  extends RestoreDeed,
    Pick<TablesReplacement, 'place' | 'definitions' | 'references' | 'rules' | 'patience'> {
  readonly staged: string
  readonly tables: readonly CopyPlan[]
}

/** Puts the tables of a staged file in the place of the live ones, with an entry that says so. */
export async function replaceTables(task: ReplaceTablesTask, tell: (step: RestoreStep) => void): Promise<Replaced> {
  const file = await openPortableFile(task.staged, { readonly: true })
  try {
    const { place, definitions, references, rules, patience } = task
    return await replacePostgresTables({
      place,
      definitions,
      references,
      rules,
      patience,
      pace: () => ownPace.step(),
      tell,
      tables: task.tables.map((plan) => tableFrom(file, plan)),
      log: { table: AuditLog.name, head: AuditHead.name, headColumns: AuditHead.fields.map(({ name, kind }) => ({ name, kind })) },
      record: ({ live, staged, unsealed, safety }) =>
        recordRestore(task, { live: chainHead(live), staged: chainHead(staged), unsealed, safety }),
    })
  } finally {
    file.close()
  }
}

function tableFrom(file: FileConnection, { table, columns, countedId }: CopyPlan): FilledTable {
  const given = file.all('SELECT seq FROM sqlite_sequence WHERE name = ?', [table])
  return { table, columns, countedId, lastCountedId: Number(given[0]?.['seq'] ?? 0), rows: rowsOf(file, table, columns) }
}

function* rowsOf(file: FileConnection, table: string, columns: CopyPlan['columns']): Generator<unknown[], void, undefined> {
  const decoders = columns.map(({ name, ...kind }) => ({ name, decode: portableCodec(kind).decode }))
  for (const row of file.each(`SELECT ${columns.map(({ name }) => `"${name}"`).join(', ')} FROM "${table}"`)) {
    yield decoders.map(({ name, decode }) => (row[name] === null ? null : decode(row[name])))
  }
}
