import { askedAccess, readBoolean, recordRoutes, reservedComponents } from '@strongroom/contract'
import type { AccessOperation } from '@strongroom/core'
import { WrongUse } from '../faults.ts'

/** What a request would do: the question that the rules answer. */
export interface RecordRequest {
  readonly component: string
  readonly operation: AccessOperation
  /** As it stands in the path. */
  readonly id?: string
}

/**
 * Reads a method and a path, such as `DELETE /tasks/7?purge=true`.
 *
 * @throws WrongUse for what is no request of a record route
 */
export function readRequest(method: string, target: string): RecordRequest {
  if (!target.startsWith('/'))
    throw new WrongUse(`"${target}" is no path: it begins with a slash, as /tasks/7. The server is said after it.`)
  const [path = '', query = ''] = target.split('?', 2)
  const [component = '', ...steps] = path.replace(/\/$/, '').slice(1).split('/').map(decoded)
  if (reservedComponents.some((name) => name === component.toLowerCase()))
    throw new WrongUse(`/${component} is no route of records: ${elsewhere}`)
  const route = recordRoutes.find((known) => known.method === method.toUpperCase() && fits(known.path, steps))
  if (!route || component === '') {
    const routes = recordRoutes.map((known) => `${known.method} /tasks${known.path}`)
    throw new WrongUse(`${method} ${path} is no route of records. There are ${routes.join(', ')}.`)
  }
  const id = route.path.includes('{id}') ? steps[0] : undefined
  const operation = askedAccess[route.operation] === 'delete' && isPurge(query) ? 'purge' : askedAccess[route.operation]
  return { component, operation, ...(id !== undefined && { id }) }
}

const elsewhere = 'the rules of models say nothing of it. Routes under /db are for operators; of a batch each operation is asked by itself.'

function fits(path: string, steps: readonly string[]): boolean {
  const wanted = path.split('/').slice(1)
  return wanted.length === steps.length && wanted.every((step, index) => step === '{id}' || step === steps[index])
}

function isPurge(query: string): boolean {
  const value = new URLSearchParams(query).get('purge')
  const isPurged = value === null ? false : readBoolean(value)
  if (isPurged === undefined) throw new WrongUse(`purge is true or false, not "${value}".`)
  return isPurged
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    throw new WrongUse(`"${step}" is not percent-encoded: a percent sign is written %25.`)
  }
}
