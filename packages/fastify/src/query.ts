import {
  type ListCondition,
  type ListFilter,
  type ListQuery,
  parseListQuery,
  QueryError,
  readBoolean,
  readFlag,
  readNames,
  readParameters,
} from '@strongroom/contract'
import { type AnyModel, type Field, type FindOptions, InvalidQueryError, type ModelAccessor } from '@strongroom/core'
import type { FastifyRequest } from 'fastify'
import { type DialectName, translateQuery } from './dialects/translate.ts'

/** How many records a page has where the query does not say, and at most. */
export interface PageSize {
  readonly defaultLimit: number
  readonly maxLimit: number
}

/** What stands after the `?`, as it came: the host may have a query parser of its own. */
export function rawQuery(request: FastifyRequest): string {
  const { url } = request
  const mark = url.indexOf('?')
  return mark < 0 ? '' : url.slice(mark + 1)
}

/** Runs what reads a query; what is wrong with it becomes an InvalidQueryError. */
export function readQuery<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof QueryError) throw new InvalidQueryError(error.message)
    throw error
  }
}

/** Reads flags such as `dry_run`, the only parameters of a route that takes no filters. */
export function readFlags<Name extends string>(request: FastifyRequest, names: readonly Name[]): Record<Name, boolean> {
  const raw = rawQuery(request)
  return readQuery(() => {
    const given = raw === '' ? undefined : readParameters(raw, names)
    // One entry for each name.
    const flags = {} as Record<Name, boolean>
    for (const name of names) flags[name] = given !== undefined && readFlag(name, given.get(name))
    return flags
  })
}

/** A list's query, and the same in the accessor's words. */
export interface RecordQuery extends ListQuery {
  /** The query in our own words, as it would stand after the `?`. */
  readonly raw: string
  readonly where: NonNullable<FindOptions<AnyModel>['where']>
  readonly orderBy: readonly string[]
}

/** What the query of a component's records is read against. */
interface QuerySetting {
  readonly accessor: ModelAccessor<AnyModel>
  readonly pageSize: PageSize
  readonly dialects: readonly DialectName[]
}

/** Reads the query of a list of records. */
export function readRecordQuery({ accessor, pageSize, dialects }: QuerySetting, request: FastifyRequest): RecordQuery {
  const model = accessor.visibleModel()
  const setting = new QueryNames(accessor, pageSize)
  const raw = readQuery(() => translateQuery(dialects, 'list', rawQuery(request), setting))
  const query = readQuery(() => parseListQuery(raw, setting))
  const orderBy = query.sort.map(({ field, descending }) => (descending ? `-${field}` : field))
  return { ...query, raw, where: whereOf(model, query.conditions), orderBy }
}

/** What a query can name. Few ask what can be included, and it depends on the caller: that is looked up when it is. */
class QueryNames implements PageSize {
  readonly #accessor: ModelAccessor<AnyModel>
  readonly fields: readonly string[]
  readonly defaultLimit: number
  readonly maxLimit: number

  constructor(accessor: ModelAccessor<AnyModel>, { defaultLimit, maxLimit }: PageSize) {
    this.#accessor = accessor
    this.fields = fieldNames(accessor.visibleModel())
    this.defaultLimit = defaultLimit
    this.maxLimit = maxLimit
  }

  get includes(): readonly string[] {
    return this.#accessor.inclusions().map(({ name }) => name)
  }

  get id(): string {
    return this.#accessor.model.id.name
  }
}

const knownNames = new WeakMap<AnyModel, readonly string[]>()

function fieldNames(model: AnyModel): readonly string[] {
  const names = knownNames.get(model) ?? visibleFields(model).map((field) => field.name)
  knownNames.set(model, names)
  return names
}

/** What the query of one record can say. */
export interface GetQuery {
  readonly includeDeleted: boolean
  readonly fields: readonly string[] | undefined
  readonly include: readonly string[]
  /** An instant of the past, as text. */
  readonly at: string | undefined
}

/** What most requests for one record say. */
const nothingSaid: GetQuery = { includeDeleted: false, fields: undefined, include: [], at: undefined }

/** Reads the query of one record. */
export function readGetQuery({ accessor, pageSize, dialects }: QuerySetting, request: FastifyRequest): GetQuery {
  if (rawQuery(request) === '') {
    // Whoever may read none of the records is told so before anything else.
    accessor.visibleModel()
    return nothingSaid
  }
  const setting = new QueryNames(accessor, pageSize)
  return readQuery(() => {
    const raw = translateQuery(dialects, 'get', rawQuery(request), setting)
    const given = readParameters(raw, ['include_deleted', 'fields', 'include', 'at'], ['fields', 'include'])
    const fields = given.get('fields')
    return {
      includeDeleted: readFlag('include_deleted', given.get('include_deleted')),
      fields: fields === undefined ? undefined : readNames('fields', [fields], setting.fields),
      include: readNames('include', [given.get('include') ?? ''], setting.includes),
      at: given.get('at'),
    }
  })
}

/** The fields that a request may name: a secret one is like none at all. */
export function visibleFields(model: AnyModel): readonly Field[] {
  return model.fields.filter((field) => !field.hidden && !field.secret)
}

/** Conditions of a query in the accessor's words; all of them must hold. */
export function whereOf(model: AnyModel, conditions: readonly ListCondition[]): RecordQuery['where'] {
  // Values are typed by the fields below; the type of a where knows them only where the model is known.
  return { and: conditions.map((condition) => conditionOf(model, condition)) } as RecordQuery['where']
}

function conditionOf(model: AnyModel, condition: ListCondition): Record<string, unknown> {
  if (condition.type === 'not') return { not: conditionOf(model, condition.part) }
  if (condition.type !== 'filter') return { [condition.type]: condition.parts.map((part) => conditionOf(model, part)) }
  const field = model.fieldsByName.get(condition.field)
  if (!field) throw new InvalidQueryError(`There is no field "${condition.field}".`)
  if (field.kind === 'json' && condition.operator !== 'is_null')
    throw new InvalidQueryError(`${field.name} holds JSON and can only be asked with is_null: ${field.name}[is_null]=false.`)
  return { [field.name]: comparison(field, condition) }
}

/** The accessor's names of operators that are spelt differently in a query. */
const operatorNames: Readonly<Record<string, string>> = {
  starts_with: 'startsWith',
  ends_with: 'endsWith',
  istarts_with: 'istartsWith',
  iends_with: 'iendsWith',
}

function comparison(field: Field, { operator, values }: ListFilter): Record<string, unknown> {
  const [first = ''] = values
  switch (operator) {
    case 'in':
      return { in: values.map((text) => queryValue(field, text)) }
    case 'not_in':
      return { notIn: values.map((text) => queryValue(field, text)) }
    case 'is_null':
      return { isNull: booleanOf(`${field.name}[is_null]`, first) }
    default:
      return { [operatorNames[operator] ?? operator]: queryValue(field, first) }
  }
}

const wholeNumber = /^-?\d+$/
const anyNumber = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i

/** A value of a query, typed by the field that it is compared with. Throws InvalidQueryError. */
export function queryValue(field: Field, text: string): unknown {
  switch (field.kind) {
    case 'boolean':
      return booleanOf(field.name, text)
    case 'integer':
      return numberOf(field.name, text, wholeNumber, 'a whole number')
    case 'number':
      return numberOf(field.name, text, anyNumber, 'a number')
    default: {
      // The plus sign of an offset arrives as a space where the client did not encode it.
      const value = field.fromJson(field.kind === 'datetime' ? text.replace(/ (?=\d\d:\d\d$)/, '+') : text)
      if (field.kind === 'text' || field.kind === 'json') return value
      const problem = field.check(value)
      if (problem !== undefined) throw new InvalidQueryError(`The value of ${field.name} ${problem}.`)
      return value
    }
  }
}

function booleanOf(name: string, text: string): boolean {
  const value = readBoolean(text)
  if (value === undefined) throw new InvalidQueryError(`${name} is true or false.`)
  return value
}

function numberOf(name: string, text: string, form: RegExp, wanted: string): number {
  const value = form.test(text) ? Number(text) : Number.NaN
  const exact = form === wholeNumber ? Number.isSafeInteger(value) : Number.isFinite(value)
  if (!exact) throw new InvalidQueryError(`${name} is compared with ${wanted} that JSON can carry exactly.`)
  return value === 0 ? 0 : value
}
