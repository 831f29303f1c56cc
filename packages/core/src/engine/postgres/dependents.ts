import type { Connection } from '../engine.ts'

/** What keeps a column from being dropped or retyped. Indexes, constraints and defaults of its own table go with it. */
const dependents = `
  SELECT DISTINCT coalesce(
    (SELECT CASE v.relkind WHEN 'm' THEN 'materialized view ' ELSE 'view ' END || v.relname
      FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class WHERE d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid),
    (SELECT 'trigger ' || g.tgname FROM pg_trigger g WHERE d.classid = 'pg_trigger'::regclass AND g.oid = d.objid),
    (SELECT 'policy ' || p.polname FROM pg_policy p WHERE d.classid = 'pg_policy'::regclass AND p.oid = d.objid)) AS name
  FROM pg_class t
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = $2
  JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid AND d.refobjsubid = a.attnum AND d.deptype IN ('n', 'a')
  WHERE t.relnamespace = current_schema()::regnamespace AND t.relname = $1
    AND d.classid IN ('pg_rewrite'::regclass, 'pg_trigger'::regclass, 'pg_policy'::regclass)
    AND NOT EXISTS (SELECT 1 FROM pg_trigger g WHERE d.classid = 'pg_trigger'::regclass AND g.oid = d.objid AND g.tgisinternal)
    AND NOT EXISTS (SELECT 1 FROM pg_policy p WHERE d.classid = 'pg_policy'::regclass AND p.oid = d.objid AND p.polname = 'strongroom_tenant')
  ORDER BY name`

/** Views, triggers and policies that name a column, as the server knows it: what the body of a function names it does not. */
export async function dependentsOf(connection: Pick<Connection, 'all'>, table: string, column: string): Promise<string[]> {
  const rows = await connection.all({ sql: dependents, parameters: [table, column] })
  return rows.map(({ name }) => String(name))
}
