import { AuditLog } from '../audit/audit-log.ts'
import type { Connection, Engine } from '../engine/engine.ts'
import { SchemaMismatchError } from '../errors.ts'
import { KeptAnswers } from '../idempotency/kept-answers.ts'
import { consoleLogger, type Logger } from '../logger.ts'
import type { AnyModel, Field } from '../model/model.ts'

/** A table whose rows the database holds to the tenants in a field. */
interface HeldTable {
  readonly name: string
  readonly field: Field
}

/** The policies that stand, by their tables. */
type Policies = ReadonlyMap<string, string>

/** Tables of the library's own whose rows tell of records. Jobs do not: they are for operators of the whole database. */
const tellingModels: readonly AnyModel[] = [AuditLog, KeptAnswers]

/** The tables whose rows belong to tenants: where those of any model do, so do the entries and the answers that tell of them. */
function heldTables(models: readonly AnyModel[]): HeldTable[] {
  const held = models.flatMap(({ name, tenant }) => (tenant ? [{ name, field: tenant }] : []))
  if (held.length === 0) return []
  const telling = tellingModels.flatMap(({ name, fieldsByName }) => {
    const field = fieldsByName.get('tenant')
    return field ? [{ name, field }] : []
  })
  return [...telling, ...held]
}

/**
 * Has the database hold rows to their tenants, where it can: makes the policies that are missing or other ones (where that is wanted), and
 * tells the engine when there are any, for these models or for another program's.
 * @throws SchemaMismatchError with a sentence for each table that is not held as its model says
 */
export async function holdToTenants(
  engine: Engine,
  models: readonly AnyModel[],
  { createTables, logger = consoleLogger }: { readonly createTables: boolean; readonly logger?: Logger | undefined },
): Promise<void> {
  let policies = await engine.read((connection) => engine.tenantPolicies(connection))
  refuseStrangers(models, policies)
  if (unheldTables(engine, models, policies).length > 0) {
    if (!createTables) throw new SchemaMismatchError(policyDifferences(engine, models, policies), 'Open once with createTables: true.')
    policies = await engine.define((connection) => makePolicies(engine, connection, models), { changesTables: true })
  }
  if (policies.size === 0) return
  engine.holdTenants(policies.keys())
  warnOfPassedPolicies(engine, logger)
}

async function makePolicies(engine: Engine, connection: Connection, models: readonly AnyModel[]): Promise<Policies> {
  const before = await engine.tenantPolicies(connection)
  for (const { name, field } of unheldTables(engine, models, before))
    for (const sql of engine.tenantPolicySql(name, field)) await connection.run({ sql, parameters: [] })
  const policies = await engine.tenantPolicies(connection)
  const left = policyDifferences(engine, models, policies)
  if (left.length > 0) throw new SchemaMismatchError(left)
  return policies
}

function unheldTables(engine: Engine, models: readonly AnyModel[], policies: Policies): HeldTable[] {
  return heldTables(models).filter(({ name, field }) => policies.get(name) !== engine.tenantPolicy(field))
}

/** How tables are held to tenants otherwise than the models say: a sentence for each. */
export function policyDifferences(engine: Engine, models: readonly AnyModel[], policies: Policies): string[] {
  const unheld = unheldTables(engine, models, policies).map(
    ({ name, field }) =>
      `${name} does not hold its rows to the tenants in ${field.name}: its policy is missing, switched off or another one.`,
  )
  return [...unheld, ...strangers(models, policies)]
}

/** What protects rows is not taken away because somebody's model does not know of it. */
function strangers(models: readonly AnyModel[], policies: Policies): string[] {
  return models
    .filter(({ name, tenant }) => !tenant && policies.has(name))
    .map(({ name }) => `${name} holds its rows to tenants, and the model has no tenant: say it there, or drop the policy.`)
}

function refuseStrangers(models: readonly AnyModel[], policies: Policies): void {
  const found = strangers(models, policies)
  if (found.length > 0) throw new SchemaMismatchError(found)
}

/** A server lets some roles past every policy, and nothing in an answer would show it. */
function warnOfPassedPolicies({ capabilities }: Engine, logger: Logger): void {
  if (capabilities.rowSecurity) return
  logger.warn(
    "The database lets this role past row-level security (a superuser, or BYPASSRLS): tenants are held apart by the library's own conditions alone. Connect as an ordinary role that owns the tables.",
  )
}
