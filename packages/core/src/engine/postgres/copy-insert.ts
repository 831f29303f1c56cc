import type { CopyAnswer, CopyInserts, CopyQuestion, RowCopies } from '../copy-insert.ts'
import type { StoredRow } from '../engine.ts'
import { copyMessage } from './copy-message.ts'
import { copySql } from './copy-rows.ts'
import { copyText } from './copy-text.ts'

/**
 * Nothing stands in the way of a COPY: it is refused where policies hold the table, knows nothing of rules, and finds a CHECK that is broken before
 * a key that an earlier row has, of which an INSERT tells first.
 */
const isOpen = `c.relkind = 'r' AND NOT row_security_active(c.oid)
  AND NOT EXISTS (SELECT FROM pg_rewrite WHERE ev_class = c.oid AND ev_type = '3')
  AND (SELECT count(*) FROM pg_constraint WHERE conrelid = c.oid AND contype = 'c') <= $2::bigint`

/**
 * Ids can be drawn before: they are those of an identity, whose sequence this role may use, and no trigger gives a row another one. (A BEFORE
 * trigger for each row of an INSERT has these three bits of tgtype, PostgreSQL's catalog/pg_trigger.h.)
 */
const isCounted = `AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = $3::text AND attidentity <> '')
  AND has_column_privilege(c.oid, $3::text, 'INSERT')
  AND has_sequence_privilege(pg_get_serial_sequence(quote_ident($1::text), $3::text), 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgtype & 7 = 7)`

const drawn = `array_to_string(ARRAY(SELECT nextval(found.sequence) FROM generate_series(1, $4::integer)), ',')`

/** The name of the table is looked up for each row that is drawn unless it is said to be found first. */
const foundFirst = 'OFFSET 0'

function sqlOf({ counted, computed }: Pick<CopyQuestion, 'counted' | 'computed'>): string {
  const isAsked = counted !== undefined
  const answers = computed.map((select, index) => `, (${select}) AS computed${index}`)
  return `SELECT ${isAsked ? drawn : 'NULL'} AS ids${answers.join('')}
    FROM (SELECT c.oid${isAsked ? ', pg_get_serial_sequence(quote_ident($1::text), $3::text)::regclass AS sequence' : ''} FROM pg_class c
      WHERE c.oid = to_regclass(quote_ident($1::text)) AND ${isOpen} ${isAsked ? isCounted : ''} ${foundFirst}) AS found`
}

/** Rows of a statement; the fewer there are the more the question before them counts. With 30 it takes longer than it saves (measured). */
const fewestRows = 100

/**
 * COPY … FROM STDIN. A thousand records and their entries take a tenth less of the server's work than as lists and a twentieth less time; with a hundred there is
 * no difference, and the program has as much to do (measured). It hands out no ids: those that the database counts are drawn before.
 *
 * @param isHeld whether policies are known to hold a table
 */
export function copyInserts(isHeld: (table: string) => boolean): CopyInserts {
  return {
    fewestRows: (table) => (isHeld(table) ? Number.POSITIVE_INFINITY : fewestRows),
    question: (question) => ({
      sql: sqlOf(question),
      parameters: [question.table, question.checks, ...(question.counted === undefined ? [] : [question.counted, question.rows])],
    }),
    answer,
    into,
  }
}

function answer(row: StoredRow | undefined): CopyAnswer | undefined {
  if (!row) return undefined
  // The order is that of the question.
  const { ids, ...computed } = row
  return { ids: typeof ids === 'string' ? ids.split(',').map(Number) : [], computed: Object.values(computed) }
}

function into(table: string, columns: readonly string[]): RowCopies {
  const sql = copySql(table, columns)
  let text = ''
  return {
    get characters() {
      return text.length
    },
    add: (row) => {
      for (let index = 0; index < row.length; index++) text += index === 0 ? copyText(row[index]) : `\t${copyText(row[index])}`
      text += '\n'
    },
    statement: () => {
      const copied = copyMessage(text)
      text = ''
      return { sql, parameters: [], copied }
    },
  }
}
