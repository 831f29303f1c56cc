import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely'
import type { AnyDatabase, Connection, Engine } from '../../engine/engine.ts'
import { MigrationError } from '../../errors.ts'

/** Records that a sentence names. */
const mostExamples = 5

/** A table whose records are asked. */
export interface Asked {
  readonly engine: Engine
  readonly connection: Connection
  readonly table: string
  readonly idName: string
}

type Condition = (eb: ExpressionBuilder<AnyDatabase, AnyDatabase>) => Expression<SqlBool>

/**
 * Throws MigrationError `migration_refused` where records stand against a change. The sentence has their number and some ids, and none of
 * their values, which may be secret.
 */
export async function refuseWhere(asked: Asked, condition: Condition, sentence: (count: number) => string): Promise<void> {
  const { engine, connection, table, idName } = asked
  const from = engine.builder.selectFrom(table)
  const found = from.select(idName).where(condition).orderBy(idName).limit(mostExamples).compile()
  const examples = (await connection.all(found)).map((row) => String(row[idName]))
  if (examples.length === 0) return
  const [row] = await connection.all(from.select(sql`count(*)`.as('count')).where(condition).compile())
  throw refusal(sentence(Number(row?.['count'])), idName, examples)
}

export function refusal(sentence: string, idName: string, examples: readonly string[]): MigrationError {
  const told = examples.length === 0 ? '' : ` For example ${idName} ${examples.slice(0, mostExamples).join(', ')}.`
  return new MigrationError('migration_refused', `${sentence}${told} Nothing was changed.`)
}

/** Records that have the same values in these fields as others. */
export async function refuseDuplicates(
  asked: Asked,
  { fields, liveOnly }: { readonly fields: readonly string[]; readonly liveOnly: boolean },
): Promise<void> {
  const { engine, connection, table, idName } = asked
  const isMeant: Condition = (eb) =>
    eb.and([...fields.map((name) => eb(name, 'is not', null)), ...(liveOnly ? [eb('deleted_at', 'is', null)] : [])])
  const groups = engine.builder.selectFrom(table).select(fields).where(isMeant).groupBy(fields).having(sql<number>`count(*)`, '>', 1)
  const counted = engine.builder.selectFrom(groups.as('groups')).select(sql`count(*)`.as('count'))
  const [row] = await connection.all(counted.compile())
  const count = Number(row?.['count'])
  if (count === 0) return
  const [first] = await connection.all(groups.limit(1).compile())
  const same = engine.builder
    .selectFrom(table)
    .select(idName)
    .where((eb) => eb.and([isMeant(eb), ...fields.map((name) => eb(name, '=', first?.[name]))]))
  const examples = (await connection.all(same.orderBy(idName).limit(mostExamples).compile())).map((found) => String(found[idName]))
  const values = count === 1 ? 'one value' : `${count} values`
  const whose = liveOnly ? 'live records' : 'records'
  throw refusal(
    `${table} has ${values} of (${fields.join(', ')}) in several ${whose} each, and that is to be unique. Make them different first.`,
    idName,
    examples,
  )
}
