// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pieces of sources have the placeholders of these
import type { Mutant } from './mutants.ts'

const core = 'packages/core/src'
const connection = `${core}/engine/postgres/connection.ts`
const security = `${core}/engine/postgres/row-security.ts`
const engine = `${core}/engine/postgres/postgres-engine.ts`
const units = `${core}/session/units.ts`

function mutant(place: string, file: string, from: string, to: string): Mutant {
  return { place: `row-level security: ${place}`, file, from, to, engine: 'postgres' }
}

/** The database's own line between tenants, without one of the places that hold it. */
export const rowSecurityMutants: readonly Mutant[] = [
  mutant('what is said of every tenant', security, `\${reach === 'every' ? "'on'" : "'off'"}`, `'on'`),
  mutant('what is said of one tenant', security, 'SET LOCAL ${settings.tenant} =', 'SET ${settings.tenant} ='),
  mutant('who uses the connection next', security, 'SET LOCAL ${settings.every} =', 'SET ${settings.every} ='),
  mutant('what the policy hides', security, 'USING ${condition(field)} WITH CHECK', 'USING (true) WITH CHECK'),
  mutant('what the policy takes', security, 'WITH CHECK ${condition(field)}`', 'WITH CHECK (true)`'),
  mutant('the owner of the tables', security, '    `ALTER TABLE ${on} FORCE ROW LEVEL SECURITY`,\n', ''),
  mutant('units', engine, 'runUnit(units, unit, this.#said(unit.reach))', "runUnit(units, unit, this.#said('every'))"),
  mutant(
    'reads',
    engine,
    'new ReadConnection(this.#pool, this.#said(reach), this.#held)',
    "new ReadConnection(this.#pool, this.#said('every'), this.#held)",
  ),
  mutant('what a read says of every tenant', security, "reach === 'every' ? 'on' : 'off']", "'on']"),
  mutant('who reads on the connection next', security, '$1, true), set_config', '$1, false), set_config'),
  mutant('who reads every tenant on the connection next', security, '$2, true)`', '$2, false)`'),
  mutant(
    'streams',
    engine,
    'streamRows(this.#pool, statement, chunkSize, this.#said(reach))',
    "streamRows(this.#pool, statement, chunkSize, this.#said('every'))",
  ),
  mutant('reads of a caller', units, 'runTask(body(connection, context)), reach)', 'runTask(body(connection, context)))'),
  mutant(
    'reads of a caller in a transaction',
    units,
    'body(session.connection.heldTo(reach), context)',
    'body(session.connection, context)',
  ),
  mutant('nested transactions', units, 'outer.connection.heldTo(reachOf(context)), context, {', 'outer.connection, context, {'),
  mutant('what is taken back after somebody else’s statement', connection, '      this.#sendUnheard(reachSql(own))\n', ''),
  mutant('statements by hand', `${core}/session/kysely-handles.ts`, 'engine.read(work, units.reach())', 'engine.read(work)'),
  mutant('exports', `${core}/transfer/export/export.ts`, 'reach: reachOf(caller),', "reach: 'every' as const,"),
  mutant('streams of the log', `${core}/audit/audit-accessor.ts`, 'streamChunk, reachOf(caller))', 'streamChunk)'),
  mutant('streams of records', `${core}/accessor/read.ts`, 'streamChunk, reachOf(context))', 'streamChunk)'),
  mutant(
    'tables that stood there without',
    `${core}/schema/tenant-policies.ts`,
    'unheldTables(engine, models, policies).length > 0',
    'false',
  ),
  mutant('the log', `${core}/schema/tenant-policies.ts`, '= [AuditLog, KeptAnswers]', '= [KeptAnswers]'),
  mutant('kept answers', `${core}/schema/tenant-policies.ts`, '= [AuditLog, KeptAnswers]', '= [AuditLog]'),
]
