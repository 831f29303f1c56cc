import type { StoredRow } from '../engine.ts'
import type { Client } from './client.ts'
import { quoteText } from './names.ts'

/** Tables that leave a schema, and those of the same names that come into it. */
export interface Exchange {
  readonly tables: readonly string[]
  readonly live: string
  readonly staging: string
  /** Where those that leave go. */
  readonly safety: string
}

/**
 * What hangs on the tables that leave, as statements that hang it on those that come, once these are there: owners, grants on tables, columns
 * and sequences, policies, triggers, storage parameters, what replication knows a row by, publications. What default privileges have given to
 * those that come is taken back first.
 */
export async function attachedTo(client: Client, exchange: Exchange): Promise<string[]> {
  const statements: string[] = []
  for (const sql of queriesFor(exchange)) {
    // Types of the rows: one column of text.
    const { rows }: { readonly rows: readonly StoredRow[] } = await client.query({ sql })
    statements.push(...rows.map((row) => String(row['sql'])))
  }
  return statements
}

/** Of a row of `aclexplode` that is called `a`. */
const grantee = `CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END`
const grantOption = `CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END`

function queriesFor(exchange: Exchange): string[] {
  const { tables, live, staging } = exchange
  const schema = quoteText(live)
  const names = tables.map(quoteText).join(', ')
  const classes = (place: string): string =>
    `SELECT * FROM pg_class WHERE relnamespace = ${quoteText(place)}::regnamespace AND relname IN (${names})`
  const old = `(SELECT oid FROM (${classes(live)}) AS t)`
  // Columns that both have, each with the sequence that counts it, if one does.
  const sequenceOf = (column: string): string => `LEFT JOIN LATERAL (SELECT q.* FROM pg_depend d JOIN pg_class q ON q.oid = d.objid
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ${column}.attrelid
        AND d.refobjsubid = ${column}.attnum AND d.deptype IN ('a', 'i') AND q.relkind = 'S') AS`
  const columns = `(${classes(live)}) AS t
    JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped
    JOIN (${classes(staging)}) AS n ON n.relname = t.relname
    JOIN pg_attribute nc ON nc.attrelid = n.oid AND nc.attname = c.attname AND NOT nc.attisdropped`
  return [
    `SELECT DISTINCT format('REVOKE ALL ON %I.%I FROM %s', ${schema}, n.relname, ${grantee}) AS sql
      FROM (${classes(staging)}) AS n, aclexplode(n.relacl) a WHERE a.grantee <> n.relowner`,
    `SELECT DISTINCT format('REVOKE ALL ON SEQUENCE %I.%I FROM %s', ${schema}, ns.relname, ${grantee}) AS sql
      FROM ${columns} ${sequenceOf('nc')} ns ON true, aclexplode(ns.relacl) a WHERE a.grantee <> ns.relowner`,
    `SELECT format('ALTER TABLE %I.%I OWNER TO %I', ${schema}, relname, pg_get_userbyid(relowner)) AS sql FROM pg_class WHERE oid IN ${old}`,
    `SELECT format('GRANT %s ON %I.%I TO %s%s', a.privilege_type, ${schema}, t.relname, ${grantee}, ${grantOption}) AS sql
      FROM (${classes(live)}) AS t, aclexplode(t.relacl) a WHERE a.grantee <> t.relowner`,
    `SELECT format('GRANT %s (%I) ON %I.%I TO %s%s', a.privilege_type, c.attname, ${schema}, t.relname, ${grantee}, ${grantOption}) AS sql
      FROM ${columns}, aclexplode(c.attacl) a WHERE a.grantee <> t.relowner`,
    `SELECT format('GRANT %s ON SEQUENCE %I.%I TO %s%s', a.privilege_type, ${schema}, ns.relname, ${grantee}, ${grantOption}) AS sql
      FROM ${columns} ${sequenceOf('c')} s ON true ${sequenceOf('nc')} ns ON true, aclexplode(s.relacl) a
      WHERE ns.oid IS NOT NULL AND a.grantee <> s.relowner`,
    `SELECT format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', ${schema}, relname) AS sql FROM pg_class WHERE oid IN ${old} AND relrowsecurity`,
    `SELECT format('ALTER TABLE %I.%I FORCE ROW LEVEL SECURITY', ${schema}, relname) AS sql FROM pg_class WHERE oid IN ${old} AND relforcerowsecurity`,
    `SELECT format('CREATE POLICY %I ON %I.%I AS %s FOR %s TO %s', p.policyname, p.schemaname, p.tablename, p.permissive, p.cmd,
        (SELECT string_agg(CASE WHEN role = 'public' THEN 'PUBLIC' ELSE quote_ident(role) END, ', ') FROM unnest(p.roles) AS role))
        || coalesce(' USING (' || p.qual || ')', '') || coalesce(' WITH CHECK (' || p.with_check || ')', '') AS sql
      FROM pg_policies p WHERE p.schemaname = ${schema} AND p.tablename IN (${names})`,
    `SELECT pg_get_triggerdef(oid) AS sql FROM pg_trigger WHERE tgrelid IN ${old} AND NOT tgisinternal`,
    // Ours keep the log, and are on.
    `SELECT format('ALTER TABLE %I.%I %s TRIGGER %I', ${schema}, t.relname,
        CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, g.tgname) AS sql
      FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
      WHERE g.tgrelid IN ${old} AND NOT g.tgisinternal AND g.tgenabled <> 'O' AND NOT starts_with(g.tgname, 'strongroom_')`,
    `SELECT format('ALTER TABLE %I.%I SET (%s)', ${schema}, relname, array_to_string(reloptions, ', ')) AS sql
      FROM (${classes(live)}) AS t WHERE reloptions IS NOT NULL`,
    ...replicationQueries(exchange),
  ]
}

/** A publication of all tables, or of a schema's, has those that come by itself. */
function replicationQueries({ tables, live, safety }: Exchange): string[] {
  const schema = quoteText(live)
  const ours = `t.relnamespace = ${schema}::regnamespace AND t.relname IN (${tables.map(quoteText).join(', ')})`
  const published = `pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class t ON t.oid = r.prrelid WHERE ${ours}`
  // Servers before 15 have neither of the two, and no columns for them.
  const columns = `(SELECT string_agg(quote_ident(c.attname), ', ' ORDER BY a.place)
      FROM jsonb_array_elements_text(nullif(to_jsonb(r) -> 'prattrs', 'null')) WITH ORDINALITY AS a (number, place)
      JOIN pg_attribute c ON c.attrelid = r.prrelid AND c.attnum = a.number::int)`
  const filter = `(SELECT to_jsonb(v) ->> 'rowfilter' FROM pg_publication_tables v
      WHERE v.pubname = p.pubname AND v.schemaname = ${schema} AND v.tablename = t.relname)`
  return [
    // An index that is gone identifies nothing.
    `SELECT format('ALTER TABLE %I.%I REPLICA IDENTITY %s', ${schema}, t.relname, CASE t.relreplident WHEN 'f' THEN 'FULL'
        ELSE coalesce('USING INDEX ' || quote_ident(i.relname), 'NOTHING') END) AS sql
      FROM pg_class t LEFT JOIN pg_index x ON x.indrelid = t.oid AND x.indisreplident LEFT JOIN pg_class i ON i.oid = x.indexrelid
      WHERE ${ours} AND t.relreplident <> 'd'`,
    `SELECT format('ALTER PUBLICATION %I DROP TABLE %I.%I', p.pubname, ${quoteText(safety)}, t.relname) AS sql FROM ${published}`,
    `SELECT format('ALTER PUBLICATION %I ADD TABLE %I.%I', p.pubname, ${schema}, t.relname)
        || coalesce(' (' || ${columns} || ')', '') || coalesce(' WHERE (' || ${filter} || ')', '') AS sql FROM ${published}`,
  ]
}
