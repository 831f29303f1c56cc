import type { Field } from '../../model/model.ts'
import type { Connection, Reach, StoredRow } from '../engine.ts'
import { quoteName, quoteText } from './names.ts'

/** The policy that holds a table's rows to their tenants. */
const policyName = 'strongroom_tenant'

/** What the policies look at. They are set for a transaction alone, so that nothing is left on a connection that others use next. */
const settings = { tenant: 'strongroom.tenant', every: 'strongroom.every_tenant' } as const

/** Says whose rows the transaction touches. Both are always said: a role or database may have a default for them. */
export function reachSql(reach: Reach): string {
  return `SET LOCAL ${settings.tenant} = ${settingText(tenantOf(reach))}; SET LOCAL ${settings.every} = ${reach === 'every' ? "'on'" : "'off'"}`
}

/** A session keeps it prepared under this name. */
export const reachName = 'strongroom_reach'

/** Prepares the statement that says whose rows a transaction touches, until that ends. */
export const prepareReach = `PREPARE ${reachName} (text, text) AS SELECT set_config('${settings.tenant}', $1, true), set_config('${settings.every}', $2, true)`

/** Its values. */
export function reachValues(reach: Reach): readonly [tenant: string, every: string] {
  return [tenantOf(reach), reach === 'every' ? 'on' : 'off']
}

function tenantOf(reach: Reach): string {
  return typeof reach === 'object' && isText(reach.tenant) ? reach.tenant : ''
}

/** What is no text to the server is no tenant that a row could have. */
function isText(tenant: string): boolean {
  return tenant.isWellFormed() && !tenant.includes('\0')
}

/** Means the same whatever `standard_conforming_strings` is: behind a pooler of transactions the session may be another one each time. */
function settingText(text: string): string {
  return text.includes('\\') ? ` E${quoteText(text.replaceAll('\\', '\\\\'))}` : quoteText(text)
}

/** Each is read once for a statement, not once for a row: a count of 100,000 rows took 30 ms with these, and 40 without (measured). */
const everyTenant = `(SELECT current_setting('${settings.every}', true) = 'on')`
const oneTenant = `(SELECT nullif(current_setting('${settings.tenant}', true), ''))`

/** Numbers and UUIDs are compared as the server writes them: a tenant that is none of these is nobody's, and no error. */
function condition({ name, kind }: Field): string {
  if (kind === 'text') return `(${everyTenant} OR (${quoteName(name)} = ${oneTenant}))`
  return `(${everyTenant} OR ((${quoteName(name)})::text = ${kind === 'uuid' ? `lower(${oneTenant})` : oneTenant}))`
}

/** The policy of a table as `tenantPolicies` would tell of it. */
export function tenantPolicy(field: Field): string {
  const wanted = condition(field)
  return described({ command: '*', permissive: true, isPublic: true, enabled: true, forced: true, using: wanted, check: wanted })
}

/** The statements that hold a table's rows to the tenants in a field, whoever asks: FORCE is for its owner, who passes policies otherwise. */
export function tenantPolicySql(table: string, field: Field): string[] {
  const on = quoteName(table)
  return [
    `ALTER TABLE ${on} ENABLE ROW LEVEL SECURITY`,
    `ALTER TABLE ${on} FORCE ROW LEVEL SECURITY`,
    `DROP POLICY IF EXISTS ${policyName} ON ${on}`,
    `CREATE POLICY ${policyName} ON ${on} USING ${condition(field)} WITH CHECK ${condition(field)}`,
  ]
}

/** A policy as it stands in the catalogue. */
interface FoundPolicy {
  /** `*` for all of them. */
  readonly command: string
  readonly permissive: boolean
  readonly isPublic: boolean
  /** Of its table. */
  readonly enabled: boolean
  readonly forced: boolean
  readonly using: string
  readonly check: string
}

const policies = `
  SELECT c.relname AS "table", p.polcmd AS command, p.polpermissive AS permissive, p.polroles = ARRAY[0::oid] AS is_public,
    c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
    pg_get_expr(p.polqual, p.polrelid) AS using, pg_get_expr(p.polwithcheck, p.polrelid) AS check
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
  WHERE c.relnamespace = current_schema()::regnamespace AND p.polname = '${policyName}'`

/** The policies of the tables in the current schema. */
export async function tenantPolicies(connection: Pick<Connection, 'all'>): Promise<ReadonlyMap<string, string>> {
  const rows = await connection.all({ sql: policies, parameters: [] })
  return new Map(rows.map((row) => [String(row['table']), foundPolicy(row)]))
}

function foundPolicy(row: StoredRow): string {
  return described({
    command: String(row['command']),
    permissive: row['permissive'] === true,
    isPublic: row['is_public'] === true,
    enabled: row['enabled'] === true,
    forced: row['forced'] === true,
    using: String(row['using']),
    check: String(row['check']),
  })
}

const policiesOver = `
  SELECT 1 AS found FROM pg_policy p
  JOIN pg_class c ON c.oid = p.polrelid AND c.relnamespace = current_schema()::regnamespace AND c.relname = $1
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = $2
  JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refobjid = c.oid AND d.refobjsubid = a.attnum
  WHERE p.polname = '${policyName}' LIMIT 1`

/** Takes the policy away where a column that goes, or becomes another one, holds the tenant. A start makes it anew where there still is one. */
export async function releaseTenants(connection: Connection, table: string, column: string): Promise<void> {
  if ((await connection.all({ sql: policiesOver, parameters: [table, column] })).length === 0) return
  const on = quoteName(table)
  for (const sql of [`DROP POLICY ${policyName} ON ${on}`, `ALTER TABLE ${on} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY`])
    await connection.run({ sql, parameters: [] })
}

function described({ using, check, ...flags }: FoundPolicy): string {
  return JSON.stringify([flags.command, flags.permissive, flags.isPublic, flags.enabled, flags.forced, bare(using), bare(check)])
}

/** What is left of a condition without the brackets, types and names that versions of the server put into it. */
function bare(sql: string): string {
  return sql
    .toLowerCase()
    .replaceAll(/::text/g, '')
    .replaceAll(/ as ("[^"]*"|\w+)/g, '')
    .replaceAll(/[\s()"]/g, '')
}
