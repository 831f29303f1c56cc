import { ConflictError } from '../../errors.ts'
import { attachedTo } from './attached.ts'
import type { Client } from './client.ts'
import { unknownOutcome } from './errors.ts'
import { quoteName, quoteText } from './names.ts'
import { reachSql } from './row-security.ts'
import { awaitSnapshots } from './swap-lock.ts'

/** How tables of a staging schema come into the place of the live ones. */
export interface TableSwap {
  readonly tables: readonly string[]
  readonly live: string
  readonly staging: string
  /** The schema that gets the tables that stand there now. */
  readonly safety: string
  /** Milliseconds to wait for the locks: so long everybody waits who comes after. */
  readonly lockWait: number
  /** Called when the live tables are locked: nobody else reads or writes them. */
  readonly prepare: () => Promise<void>
}

/** Milliseconds, as the server has it set. */
const deadlockTimeout = `(SELECT setting::bigint FROM pg_settings WHERE name = 'deadlock_timeout')`

/** Milliseconds that an autovacuum may take to end when it is told to. */
const vacuumEnd = 1_000

/** Milliseconds, for a server whose deadlock_timeout is longer than a restore tries. */
const mostVacuumWait = 10_000

/** Swaps tables in one transaction: who waits for the lock finds the new ones, since PostgreSQL looks names up again after a wait. */
export async function swapTables(client: Client, { tables, live, staging, safety, lockWait, prepare }: TableSwap): Promise<void> {
  const run = (sql: string) => client.query({ sql })
  const inLive = (table: string): string => `${quoteName(live)}.${quoteName(table)}`
  await run(`BEGIN; ${reachSql('every')}`)
  try {
    // PostgreSQL ends an autovacuum for whoever has waited for it a deadlock_timeout long, which is longer than others may wait behind a
    // try; nobody who reads or writes waits behind this lock, and it keeps the next autovacuum away.
    await run(`SELECT set_config('lock_timeout', least(${deadlockTimeout} + ${vacuumEnd}, ${mostVacuumWait})::text, true)`)
    await run(`LOCK TABLE ${tables.map(inLive).join(', ')} IN SHARE UPDATE EXCLUSIVE MODE`)
    await run(`SET LOCAL lock_timeout = ${Math.trunc(lockWait)}`)
    await run(awaitSnapshots(live))
    await run(`LOCK TABLE ${tables.map(inLive).join(', ')} IN ACCESS EXCLUSIVE MODE`)
    await refuseDependents(client, live, tables)
    await prepare()
    const attached = await attachedTo(client, { tables, live, staging, safety })
    await run(`CREATE SCHEMA ${quoteName(safety)}`)
    for (const table of tables) await run(`ALTER TABLE ${inLive(table)} SET SCHEMA ${quoteName(safety)}`)
    for (const table of tables) await run(`ALTER TABLE ${quoteName(staging)}.${quoteName(table)} SET SCHEMA ${quoteName(live)}`)
    for (const statement of attached) await run(statement)
    await run(`DROP SCHEMA ${quoteName(staging)}`)
  } catch (error) {
    await client.query({ sql: 'ROLLBACK' }).catch(() => client.destroy())
    throw error
  }
  await run('COMMIT').catch((error: unknown) => {
    throw client.dead ? unknownOutcome(error) : error
  })
}

const oids = (live: string, tables: readonly string[]): string =>
  `(SELECT oid FROM pg_class WHERE relnamespace = ${quoteText(live)}::regnamespace AND relname IN (${tables.map(quoteText).join(', ')}))`

/**
 * Views, references of others and subscriptions would go on meaning the tables that leave, and only its owner can bring a publication over.
 */
async function refuseDependents(client: Client, live: string, tables: readonly string[]): Promise<void> {
  const ours = oids(live, tables)
  const { rows } = await client.query({
    sql: `SELECT DISTINCT 'view ' || r.ev_class::regclass AS what FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
            WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid IN ${ours} AND r.ev_class NOT IN ${ours}
          UNION SELECT 'reference ' || conname || ' of ' || conrelid::regclass FROM pg_constraint
            WHERE contype = 'f' AND confrelid IN ${ours} AND conrelid NOT IN ${ours}
          UNION SELECT 'subscription ' || subname FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid WHERE srrelid IN ${ours}
          UNION SELECT 'publication ' || pubname || ' of the role ' || pg_get_userbyid(pubowner) FROM pg_publication_rel r
            JOIN pg_publication p ON p.oid = r.prpubid WHERE prrelid IN ${ours} AND NOT pg_has_role(pubowner, 'USAGE') ORDER BY 1`,
  })
  if (rows.length === 0) return
  const names = rows.map(({ what }) => String(what)).join(', ')
  throw new ConflictError(
    'state_conflict',
    `These hang on the tables that would be replaced: ${names}. Drop them, restore, and make them again.`,
  )
}
