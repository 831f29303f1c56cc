import { pageLimit, type Route, type RouteParameter } from '@strongroom/contract'
import { type AnyModel, auditOperations } from '@strongroom/core'
import { visibleFields } from '../query.ts'
import type { Shelf } from './shelf.ts'
import type { DescribedComponent, Json, OpenApiSource } from './source.ts'

/** The parameters of a route apart from its filters. */
export function ownParameters(shelf: Shelf, source: OpenApiSource, route: Route, described?: DescribedComponent): Json[] {
  return route.parameters
    .filter((parameter) => parameter.name !== 'X-User' || source.namesActor)
    .flatMap((parameter) => {
      const typed = described && parameter.in === 'query' ? typedList(described, parameter) : undefined
      if (typed) return typed
      const whole = withExample(described?.model, configured(parameter, source))
      return [shelf.share('parameters', parameter.name, parameter.name === 'tables' ? tableList(whole, source) : whole)]
    })
}

/** What there is to export depends on the server. */
function tableList({ schema: items, ...parameter }: Json, { components: [first] }: OpenApiSource): Json {
  const example = first && [first.model.name]
  return { ...parameter, style: 'form', explode: false, schema: { type: 'array', minItems: 1, items }, ...(example && { example }) }
}

/** Limits are those of this server; whoever writes has to be named; the log has certain operations. */
function configured(parameter: RouteParameter, { pageSize, components: [first] }: OpenApiSource): RouteParameter {
  // Operators have a name where they say none.
  if (parameter.name === 'X-User') return 'default' in parameter.schema ? parameter : { ...parameter, required: true }
  // What there is to import depends on the server.
  if (parameter.name === 'table' && first) return { ...parameter, example: first.model.name }
  if (parameter.name === 'operation') return { ...parameter, schema: { type: 'string', enum: [...auditOperations] } }
  if (parameter !== pageLimit) return parameter
  const { maxLimit, defaultLimit } = pageSize
  return { ...parameter, schema: { ...parameter.schema, maximum: maxLimit, default: defaultLimit }, example: Math.min(20, maxLimit) }
}

/** Groups of conditions are shown with a field that the model has. */
function withExample(model: AnyModel | undefined, parameter: RouteParameter): Json {
  const isGroup = model !== undefined && ['and', 'or', 'not'].includes(parameter.name)
  return { ...parameter, ...(isGroup && { example: `(${model.id.name}.is_null.false)` }) }
}

/** Parameters that list names of the model: those that there are. None where there is nothing to name. */
function typedList(described: DescribedComponent, { name, description }: RouteParameter): Json[] | undefined {
  const names = namesFor(described, name)
  if (!names) return undefined
  if (names.length === 0) return []
  const schema = { type: 'array', items: { type: 'string', enum: names } }
  return [{ name, in: 'query', description, style: 'form', explode: false, schema, example: names.slice(0, 2) }]
}

function namesFor(described: DescribedComponent, parameter: string): string[] | undefined {
  const fields = visibleFields(described.model)
  switch (parameter) {
    case 'fields':
      return fields.map(({ name }) => name)
    case 'sort':
      return fields.filter(({ kind }) => kind !== 'json').flatMap(({ name }) => [name, `-${name}`])
    case 'include':
      return (described.inclusions?.() ?? []).map(({ name }) => name)
    case 'group_by':
      return fields.filter(({ kind }) => kind !== 'json').map(({ name }) => name)
    case 'measures':
      return ['count', ...fields.flatMap(({ name, kind }) => measuresOf(kind).map((measure) => `${measure}:${name}`))]
    default:
      return undefined
  }
}

type Measure = 'sum' | 'avg' | 'min' | 'max'

const numbers: readonly Measure[] = ['sum', 'avg', 'min', 'max']
const ordered: readonly Measure[] = ['min', 'max']

/** What can be measured of a field of this kind. */
export function measuresOf(kind: AnyModel['id']['kind']): readonly Measure[] {
  switch (kind) {
    case 'integer':
    case 'int64':
    case 'number':
    case 'decimal':
      return numbers
    case 'text':
    case 'datetime':
    case 'date':
      return ordered
    default:
      return []
  }
}
