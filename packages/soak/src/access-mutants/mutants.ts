import { changeMutants } from './change-mutants.ts'
import { rowSecurityMutants } from './row-security-mutants.ts'

/** A place where rules or tenants are held to, and one line of source without which they are not. */
export interface Mutant {
  readonly place: string
  readonly file: string
  readonly from: string
  readonly to: string
  /** On which engine it is found; SQLite unless said. */
  readonly engine?: 'sqlite' | 'postgres'
}

const permit = 'packages/core/src/accessor/permit.ts'
const read = 'packages/core/src/accessor/read.ts'
const scope = 'packages/core/src/query/scope.ts'
const reach = 'packages/core/src/session/reach.ts'
const include = 'packages/core/src/accessor/include.ts'
const aggregate = 'packages/core/src/query/aggregate.ts'
const rule = 'packages/core/src/access/rule.ts'
const condition = 'packages/core/src/access/record-condition.ts'
const guard = 'packages/fastify/src/operators/guard.ts'
const session = 'packages/core/src/session/options.ts'
const imports = 'packages/core/src/accessor/import-records.ts'

function mutant(place: string, file: string, from: string, to: string): Mutant {
  return { place, file, from, to }
}

/** One for each path. */
export const mutants: readonly Mutant[] = [
  mutant('the read condition of all statements', scope, 'readable && caller.asked ? readable(caller) : everything', 'everything'),
  mutant(
    'get: the read condition',
    read,
    'const rows = yield* selectRows(table, connection, context, options)',
    'const rows = yield* selectRows(table, connection, { ...context, asked: false }, options)',
  ),
  mutant(
    'find: the read condition',
    read,
    'selectRows(bound.table, connection, context, { ...options, columns',
    'selectRows(bound.table, connection, { ...context, asked: false }, { ...options, columns',
  ),
  mutant(
    'page: the read condition',
    read,
    'selectPage(bound.table, connection, context, {',
    'selectPage(bound.table, connection, { ...context, asked: false }, {',
  ),
  mutant(
    'page: the total',
    read,
    'countRows(bound.table, connection, context, { filter, includeDeleted }) }',
    'countRows(bound.table, connection, { ...context, asked: false }, { filter, includeDeleted }) }',
  ),
  mutant(
    'count: the read condition',
    read,
    'countRows(bound.table, connection, context, selection, upTo)',
    'countRows(bound.table, connection, { ...context, asked: false }, selection, upTo)',
  ),
  mutant(
    'stream: the read condition',
    read,
    'const context = { ...bound.units.callerOf(question), asked: true }',
    'const context = { ...bound.units.callerOf(question), asked: false }',
  ),
  mutant(
    'aggregate: the read condition',
    aggregate,
    'const condition = conditionOf(table, context, options)',
    'const condition = conditionOf(table, { ...context, asked: false }, options)',
  ),
  mutant(
    'include of one record',
    include,
    'selectLinked(target, connection, context, idName, ids)',
    'selectLinked(target, connection, { ...context, asked: false }, idName, ids)',
  ),
  mutant(
    'include of many records',
    include,
    'selectLinked(source, connection, context, field.name, [...byParent.keys()], atMost)',
    'selectLinked(source, connection, { ...context, asked: false }, field.name, [...byParent.keys()], atMost)',
  ),
  mutant('hidden fields of an included record', include, 'withoutHidden(target, context, [...found.values()])', ''),
  mutant(
    'hidden fields of included records',
    include,
    'for (const children of byParent.values()) withoutHidden(source, context, children)',
    '',
  ),
  mutant('inclusion by a hidden reference', include, '.filter(({ link }) => !isSecretFor(link, caller))', ''),
  mutant(
    'lock of update, delete, restore: what may be read',
    'packages/core/src/accessor/lock.ts',
    'return { ...context, asked: true }',
    'return context',
  ),
  mutant(
    'operations that no record is allowed for',
    permit,
    'if (rules?.access.decide(operation, rules.asker).filter === nothing) throw forbidden(bound, operation)',
    '',
  ),
  mutant('insert without a tenant', permit, "if (operation === 'create' && isNowhere(bound, context))", 'if (false)'),
  mutant(
    'update: the rule for the record as it stands',
    'packages/core/src/accessor/update.ts',
    'updates.map(({ previous }) => previous),\n  )\n  const changed',
    '[],\n  )\n  const changed',
  ),
  mutant(
    'update: the rule for the record as it is left',
    'packages/core/src/accessor/update.ts',
    "yield* requireRecords(bound, session, 'update', changed)",
    '',
  ),
  mutant(
    'insert: the rule for new records',
    'packages/core/src/accessor/insert.ts',
    "yield* requireRecords(bound, session, 'create', records)",
    '',
  ),
  mutant(
    'delete: the rule',
    'packages/core/src/accessor/delete.ts',
    "yield* requireRecords(bound, session, mode === 'hard' && bound.model.deletedAt ? 'purge' : 'delete', found)",
    '',
  ),
  mutant('restore: the rule', 'packages/core/src/accessor/restore.ts', "yield* requireRecords(bound, session, 'restore', found)", ''),
  mutant('references to what may not be read', permit, "if (field.role !== 'data' || !isHeld(target, context)) continue", 'continue'),
  mutant('fields that may not be set', permit, 'if (issues.length > 0) throw new ValidationError(issues)', ''),
  mutant('fields that may not be set, in a replace', 'packages/core/src/accessor/update.ts', '|| locked.has(field.name)', ''),
  mutant(
    'hidden fields of records that are read',
    permit,
    'for (const name of rules.access.limits(rules.asker).hidden) for (const record of records) delete record[name]',
    '',
  ),
  mutant(
    'hidden fields of records that a write answers',
    'packages/core/src/accessor/accessor.ts',
    'bound.access ? visibleResult(bound, bound.units.callerOf(options), result) : result',
    'result',
  ),
  mutant(
    'hidden fields in filters, orders and groups',
    permit,
    'return rules ? rules.access.viewFor(rules.asker) : bound.model',
    'return bound.model',
  ),
  mutant('hidden fields in filters of writes', 'packages/core/src/accessor/meant.ts', 'viewFor(bound, session.context)', 'bound.model'),
  mutant('hidden fields in bodies', permit, 'return rules ? rules.access.inputFor(rules.asker) : bound.model', 'return bound.model'),
  mutant('the tenant of all statements', scope, 'return allOf(tenantScope(model, caller), ', 'return allOf('),
  mutant(
    'whoever belongs to no tenant',
    reach,
    "return principal && access !== 'system' && principal.tenant !== everyTenant ? 'none' : 'every'",
    "return 'every'",
  ),
  mutant('a tenant that the field cannot hold', scope, '!/^(0|-?[1-9]\\d*)$/.test(tenant)', 'false'),
  mutant('the tenant of new records', permit, 'if (strangers.length > 0) throw', 'if (false) throw'),
  mutant(
    'the tenant of imported changes',
    'packages/core/src/accessor/update.ts',
    'requireTenant(\n    bound,\n    session.context,\n    changes.map(({ record }) => record),\n  )',
    '',
  ),
  mutant('the tenant of a transaction', session, 'return around.tenant ?? (own', 'return (own'),
  mutant(
    'audit: entries that may be read',
    'packages/core/src/storage.ts',
    'log.readable = (caller) => readableEntries(this.#bound, caller)',
    '',
  ),
  mutant(
    'audit: entries of the tenant',
    'packages/core/src/access/audit-access.ts',
    "const own = tenant === null ? everything : equals('tenant', tenant)",
    'const own = everything',
  ),
  mutant(
    'audit: components of which not all may be read',
    'packages/core/src/access/audit-access.ts',
    'const open = components.filter(isOpen).map',
    'const open = components.map',
  ),
  mutant(
    'audit, history, changes: hidden fields in images',
    'packages/core/src/audit/shown-entry.ts',
    'if (!hidden.has(name)) shown[written]',
    'shown[written]',
  ),
  mutant('operators: the rules', guard, 'return holds((Object', 'return true || holds((Object'),
  mutant('operators: those of one tenant', guard, 'if (isOfOneTenant(request) && !ofTenants.includes(operation)) return false', ''),
  mutant('export: records', 'packages/core/src/transfer/export/plan.ts', '{ ...caller, asked: true }', '{ ...caller, asked: false }'),
  mutant(
    'export: hidden fields',
    'packages/core/src/transfer/export/plan.ts',
    'hidden.has(field.name) ? { mark: secretMark, masked: true } : { mark }',
    '{ mark }',
  ),
  mutant('export: the log', 'packages/core/src/transfer/export/readable-tables.ts', 'closed: tellsMore }]', 'closed: false }]'),
  mutant('export: tables that are closed', 'packages/core/src/transfer/export/export.ts', 'if (refused) throw', 'if (false) throw'),
  mutant('import: locked fields', imports, 'requireOwnFields(bound, session, given, existing)\n', ''),
  mutant('import: marks of deletion', imports, 'yield* requireMarks(bound, session, updates, fresh)\n', ''),
  mutant('import: records without a tenant', imports, "requireOperation(bound, session.context, 'create')", ''),
  mutant(
    'the whole database for one tenant',
    'packages/core/src/session/whole-database.ts',
    "if (tenant !== null && access !== 'system') throw",
    'if (false) throw',
  ),
  mutant('stored answers of other callers', 'packages/core/src/idempotency/once.ts', '...(caller ? [caller] : []), ', ''),
  mutant(
    'stored answers, held to the rules again',
    'packages/fastify/src/records/answer.ts',
    'await recheck(kept, shownBy(request, kept.answer, rooms))',
    '',
  ),
  mutant(
    'streams that outlive their request',
    'packages/core/src/accessor/accessor.ts',
    'return inContextOfCall(this.#stream(options))',
    'return this.#stream(options)',
  ),
  mutant(
    'commit hooks',
    'packages/core/src/session/units.ts',
    'return { ...this.#acting.getStore(), principal, tenant, access, memory: new Memory() }',
    'return { ...this.#acting.getStore(), principal: undefined, tenant: null, access, memory: new Memory() }',
  ),
  mutant('links by deleted records', condition, 'const live: Filter = deletedAt ? {', 'const live: Filter = deletedAt && false ? {'),
  mutant(
    'conditions with a gap',
    condition,
    'if (condition === undefined || condition === null || Number.isNaN(condition)) return true',
    '',
  ),
  mutant('conditions that say nothing', condition, 'if (Object.keys(condition).length === 0) throw saysNothing()', ''),
  mutant(
    'rules that answer promises',
    rule,
    'if (isPlainObject(answer)) return',
    "if (typeof answer === 'object' && answer !== null) return",
  ),
  mutant(
    'roles that are a word',
    rule,
    'if (!Array.isArray(roles)) throw new TypeError("The roles of a principal are a list: roles: [\'admin\'].")',
    '',
  ),
  mutant('principals that are not there', session, "if (typeof principal !== 'object' || principal === null)", 'if (false)'),
  mutant(
    'modes of access that there are not',
    session,
    "if (given.access !== undefined && given.access !== 'caller' && given.access !== 'system') refuse(",
    'if (false) refuse(',
  ),
  mutant(
    'a tenant that stands for all, from a header',
    'packages/fastify/src/auth/trusted-header.ts',
    'if (own === everyTenant && !mayBeAll)',
    'if (false)',
  ),
  mutant(
    'requests on behalf of their caller',
    'packages/fastify/src/auth/identity.ts',
    'return storage.actingAs(caller, () => handler.call(this, request, reply))',
    'return handler.call(this, request, reply)',
  ),
  mutant('routes that know no caller', 'packages/fastify/src/records/crud-router.ts', 'if (accessor.lacksCaller())', 'if (false)'),
  mutant(
    'scopes: records',
    'packages/core/src/access/model-access.ts',
    'if (!isInScope(principal, this.#component, operation))',
    'if (false)',
  ),
  mutant(
    'scopes: records without rules',
    'packages/core/src/accessor/bind-accessors.ts',
    'access ?? (principal.scopes ? open : undefined)',
    'access',
  ),
  mutant('scopes: operators', guard, 'if (!isNamed(request)) return false', ''),
  mutant(
    'operators: sizes for one tenant',
    'packages/fastify/src/operators/health.ts',
    '!isOfOneTenant(request) && (await isOperator',
    '(await isOperator',
  ),
  mutant(
    'what is set and not seen: changes',
    permit,
    'return Object.keys(given).filter((name) => isUnseen(bound, hidden, name))',
    'return []',
  ),
  mutant('what is set and not seen: once', permit, 'if (previous && isUnseen(bound, hidden, name) && ', 'if (false && previous && '),
  ...changeMutants,
  ...rowSecurityMutants,
]
