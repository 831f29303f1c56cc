import type { Connection } from '../engine.ts'
import type { LogGuard } from '../log-guard.ts'
import { quoteName, quoteText } from './names.ts'

/** The state with which a trigger of these refuses a statement: a class that neither the standard nor PostgreSQL has. */
export const appendOnlyState = 'SR001'

const refuse = `RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = '${appendOnlyState}';`

/** A function with its triggers. */
interface Guarding {
  readonly table: string
  readonly name: string
  readonly body: string
}

/**
 * What keeps a log append-only. The functions look for the head in the schema of the table that they guard, whatever the search path is,
 * so that they mean the same for a safety copy. They run for each row, in one or two microseconds.
 */
function guardings({ log, head, fixed, payload, place, placed }: LogGuard): readonly Guarding[] {
  const row = (of: 'NEW' | 'OLD', names: readonly string[]): string => `ROW(${names.map((name) => `${of}.${quoteName(name)}`).join(', ')})`
  const same = (names: readonly string[]): string => `${row('NEW', names)} IS NOT DISTINCT FROM ${row('OLD', names)}`
  const unplaced = place.filter((name) => name !== 'epoch').map((name) => `NEW.${quoteName(name)} IS NULL`)
  const sealed = placed.map((name) => `NEW.${quoteName(name)} IS NOT NULL`)
  const erased = payload.map((name) => `NEW.${quoteName(name)} IS NULL`)
  return [
    {
      table: log,
      name: `${log}__guard`,
      body: `
DECLARE passes boolean := false;
BEGIN
  IF TG_OP = 'INSERT' THEN
    passes := ${unplaced.join(' AND ')};
    IF passes THEN RETURN NEW; END IF;
  ELSIF TG_OP = 'UPDATE' AND ${same(fixed)} THEN
    IF OLD."seq" IS NULL THEN
      passes := ${sealed.join(' AND ')} AND ${same(payload)};
    END IF;
    IF NOT passes AND ${erased.join(' AND ')} AND ${same(place)} THEN
      EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.%I WHERE "component" = $1 AND "record_id" = $2 AND "operation" = ''erase'' AND "id" > $3)',
        TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO passes USING OLD."component", OLD."record_id", OLD."id";
    END IF;
    IF passes THEN RETURN NEW; END IF;
  ELSIF TG_OP = 'DELETE' THEN
    EXECUTE format('SELECT $1 < "retained_below" FROM %I.%I', TG_TABLE_SCHEMA, ${quoteText(head)}) INTO passes USING OLD."seq";
    IF passes THEN RETURN OLD; END IF;
  END IF;
  ${refuse}
END
`,
    },
    {
      table: head,
      name: `${head}__guard`,
      body: `
DECLARE passes boolean := false;
BEGIN
  IF TG_OP = 'INSERT' THEN
    EXECUTE format('SELECT NOT EXISTS (SELECT 1 FROM %I.%I)', TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO passes;
  ELSIF TG_OP = 'UPDATE' THEN
    passes := NEW."id" = OLD."id" AND NEW."seq" >= OLD."seq" AND NEW."epoch" >= OLD."epoch"
      AND NEW."retained_below" >= OLD."retained_below" AND NEW."retained_below" <= NEW."seq" + 1
      AND (OLD."origin" IS NULL OR NEW."origin" IS NOT DISTINCT FROM OLD."origin");
  END IF;
  IF passes THEN RETURN NEW; END IF;
  ${refuse}
END
`,
    },
  ]
}

const triggersOf = ({ name }: Guarding) => ({ rows: `${name}_rows`, all: `${name}_all` })

/** The statements that have the database keep a log append-only, whatever stands there now. Nobody but the owner may try in the first place. */
export function guardSql(guard: LogGuard): string[] {
  return guardings(guard).flatMap((guarding) => {
    const [table, name] = [quoteName(guarding.table), quoteName(guarding.name)]
    const triggers = triggersOf(guarding)
    return [
      `CREATE OR REPLACE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS ${quoteText(guarding.body)}`,
      `CREATE OR REPLACE TRIGGER ${quoteName(triggers.rows)} BEFORE INSERT OR UPDATE OR DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION ${name}()`,
      `CREATE OR REPLACE TRIGGER ${quoteName(triggers.all)} BEFORE TRUNCATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION ${name}()`,
      `ALTER TABLE ${table} ENABLE TRIGGER ${quoteName(triggers.rows)}, ENABLE TRIGGER ${quoteName(triggers.all)}`,
      `REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON ${table} FROM PUBLIC`,
    ]
  })
}

/** The bits of pg_trigger.tgtype (PostgreSQL's catalog/pg_trigger.h). */
const types = { rows: 1 + 2 + 4 + 8 + 16, all: 2 + 32 } as const

const standing = `SELECT t.tgname AS name, t.tgtype AS type, f.prosrc AS body
  FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
  WHERE t.tgrelid = to_regclass(quote_ident(current_schema()) || '.' || quote_ident($1)) AND t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL`

/** Whether each trigger stands, as it is wanted. */
export async function isGuarded(connection: Pick<Connection, 'all'>, guard: LogGuard): Promise<boolean> {
  for (const guarding of guardings(guard)) {
    const rows = await connection.all({ sql: standing, parameters: [guarding.table] })
    const names = triggersOf(guarding)
    const stands = (kind: 'rows' | 'all'): boolean =>
      rows.some(({ name, type, body }) => name === names[kind] && Number(type) === types[kind] && body === guarding.body)
    if (!stands('rows') || !stands('all')) return false
  }
  return true
}
