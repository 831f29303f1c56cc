import type { AuditOrder } from '../audit/audit-order.ts'
import { componentsIn } from '../audit/positions.ts'
import type { LogTables } from '../audit/seal-pending.ts'
import type { StoredRow } from '../engine/engine.ts'
import { runTask } from '../session/task.ts'
import type { RetentionPlan } from './read-retention.ts'
import type { RetentionReport } from './report.ts'

/** What a horizon is looked for in. */
export interface HorizonParts extends LogTables {
  readonly order: Pick<AuditOrder, 'positionAt' | 'head'>
}

/** Where the log may begin. */
export type Horizon = Pick<RetentionReport, 'horizon' | 'components'>

/**
 * The first position that is kept: that of the first entry which its component wants to keep. What comes before it is a prefix of the
 * log, whatever components it is about. The last entry is always kept.
 */
export async function findHorizon(parts: HorizonParts, { keep }: RetentionPlan, now: Date): Promise<Horizon> {
  const { position } = await parts.order.head()
  let horizon = position
  const components: Record<string, number | null> = {}
  for (const component of await parts.log.engine.read((connection) => runTask(componentsIn(parts.log, connection)))) {
    const kept = keep.get(component) ?? keep.get('*')
    const from = kept === undefined ? await firstOf(parts, component, 0) : await firstKept(parts, component, kept, now)
    horizon = Math.min(horizon, from ?? horizon)
    components[component] = from ?? null
  }
  return { horizon, components }
}

type Kept = RetentionPlan['keep'] extends ReadonlyMap<string, infer Value> ? Value : never

async function firstKept(parts: HorizonParts, component: string, { age, entries }: Kept, now: Date): Promise<number | undefined> {
  const old = age === undefined ? undefined : await parts.order.positionAt(new Date(now.getTime() - age))
  const byAge = old === undefined ? undefined : await firstOf(parts, component, old)
  const byCount = entries === undefined ? undefined : await nthNewest(parts, component, entries)
  if (entries !== undefined && byCount === undefined) return await firstOf(parts, component, 0)
  return byAge === undefined || byCount === undefined ? (byAge ?? byCount) : Math.min(byAge, byCount)
}

/** The first position of a component's entries after another position. */
async function firstOf({ log }: HorizonParts, component: string, after: number): Promise<number | undefined> {
  const statement = log.engine.builder
    .selectFrom(log.model.name)
    .select('seq')
    .where('component', '=', component)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(1)
  return positionIn(await log.engine.read((connection) => connection.all(statement.compile())))
}

/** The position of the n-th newest entry of a component; undefined where there are fewer. */
async function nthNewest({ log }: HorizonParts, component: string, count: number): Promise<number | undefined> {
  const statement = log.engine.builder
    .selectFrom(log.model.name)
    .select('seq')
    .where('component', '=', component)
    .where('seq', 'is not', null)
    .orderBy('seq', 'desc')
    .limit(1)
    .offset(count - 1)
  return positionIn(await log.engine.read((connection) => connection.all(statement.compile())))
}

function positionIn([row]: readonly StoredRow[]): number | undefined {
  return row && Number(row['seq'])
}
