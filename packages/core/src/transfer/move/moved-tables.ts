import { createHash } from 'node:crypto'
import { AuditHead, AuditLog } from '../../audit/audit-log.ts'
import { canonicalJson } from '../../audit/canonical.ts'
import type { Connection, Engine, Snapshot, Statement, StoredRow } from '../../engine/engine.ts'
import { SchemaMismatchError, UsageError } from '../../errors.ts'
import { readMemory } from '../../schema/change/table-memory.ts'
import { standingTables } from '../../schema/standing-tables.ts'
import { systemModels } from '../../schema/system-tables.ts'
import { TableRecords } from '../../schema/table-records.ts'
import { type NamedTable, tableOf } from '../../schema/wanted-table.ts'

/** What is moved of a database. */
export interface MovedTables {
  readonly tables: readonly NamedTable[]
  /** Records of each table. */
  readonly counts: ReadonlyMap<string, number>
  /** Says which database this is, and how far its log had got. */
  readonly about: string
}

/** Statements on a snapshot, for those that ask a connection. */
export function asking(snapshot: Snapshot): Pick<Connection, 'all'> {
  return {
    all: async (statement: Statement): Promise<StoredRow[]> => {
      const found: StoredRow[] = []
      for await (const rows of snapshot.stream(statement, 1_000)) found.push(...rows)
      return found
    },
  }
}

/** Finds what is to be moved. Throws UsageError where tables stand there that the library knows nothing of, unless they are left. */
export async function readTables(
  engine: Engine,
  snapshot: Snapshot,
  { known: given, leaveOthers }: { readonly known: readonly NamedTable[]; readonly leaveOthers: boolean },
): Promise<MovedTables> {
  const connection = asking(snapshot)
  const live = await engine.inspect(connection)
  const names = new Set(live.map(({ name }) => name))
  if (!names.has(AuditLog.name) || !names.has(TableRecords.name))
    throw new SchemaMismatchError([`There is no table ${names.has(AuditLog.name) ? TableRecords.name : AuditLog.name}.`], advice)
  const known = new Set([
    ...systemModels.map(({ name }) => name),
    ...given.map(({ name }) => name),
    ...(await readMemory(engine, connection)).keys(),
  ])
  const wanted = [...systemModels.map(tableOf), ...given]
  const standing = await standingTables(engine, connection, wanted)
  const tables = standing.filter(({ name }) => known.has(name))
  const moved = new Set(tables.map(({ name }) => name))
  const others = [...names].filter((name) => !moved.has(name))
  if (others.length > 0 && !leaveOthers) {
    throw new UsageError(
      'invalid_options',
      `${others.join(', ')} ${others.length === 1 ? 'is a table' : 'are tables'} that no model has, and would not be moved. Move what is in there by yourself, and say leaveOthers.`,
    )
  }
  const counts = new Map<string, number>()
  for (const { name } of tables) {
    const [row] = await connection.all({ sql: `SELECT count(*) AS count FROM "${name}"`, parameters: [] })
    counts.set(name, Number(row?.['count']))
  }
  const [head] = await connection.all({ sql: `SELECT epoch, origin FROM "${AuditHead.name}"`, parameters: [] })
  const [log] = await connection.all({ sql: `SELECT max(id) AS last FROM "${AuditLog.name}"`, parameters: [] })
  const facts = {
    origin: String(head?.['origin']),
    epoch: Number(head?.['epoch']),
    entries: Number(log?.['last'] ?? 0),
    rows: Object.fromEntries(counts),
    tables,
  }
  return {
    tables,
    counts,
    about: createHash('sha256')
      .update(canonicalJson(JSON.parse(JSON.stringify(facts))))
      .digest('hex'),
  }
}

const advice = 'Only a database of this library, opened once by this version or a later one, can be moved.'
