import { askedAccess, type RecordOperation, readBoolean, splitQuery } from '@strongroom/contract'
import { type AccessOperation, ForbiddenError } from '@strongroom/core'
import type { FastifyRequest } from 'fastify'
import { rawQuery } from '../query.ts'
import { routeFactsOf } from '../request-facts.ts'
import type { Answer } from './answer.ts'
import { idOf, type RecordRoom } from './record-room.ts'

/** An answer that is kept for a request that comes again. */
export interface KeptAnswer {
  readonly answer: Answer
  /** For each component that it shows records of, whether the caller could read any then. */
  readonly readable: Readonly<Record<string, boolean>>
}

/** What an answer shows of a component, and what was done for it. The records are parts of the answer. */
interface Shown {
  readonly room: RecordRoom
  readonly operation: AccessOperation
  readonly records: readonly Record<string, unknown>[]
}

/** What a write is called, as a route or as an operation of a batch, and what it asks the rules for. */
function askedBy(name: string): AccessOperation {
  return isRecordOperation(name) ? askedAccess[name] : 'update'
}

function isRecordOperation(name: string): name is RecordOperation {
  return Object.hasOwn(askedAccess, name)
}

/** What the answer to a request shows. */
export function shownBy(request: FastifyRequest, { status, body }: Answer, rooms: readonly RecordRoom[]): Shown[] {
  const facts = routeFactsOf(request)
  if (facts?.operation === 'batch') return shownByBatch(request.body, body, rooms)
  const [room] = rooms
  if (!room) return []
  const asked = isPurge(request) ? 'purge' : askedBy(facts?.operation ?? '')
  return [{ room, operation: status === 201 ? 'create' : asked, records: recordsIn(facts?.operation, body) }]
}

function shownByBatch(asked: unknown, answered: unknown, rooms: readonly RecordRoom[]): Shown[] {
  // The request was understood when it was first answered, and this is its answer.
  const { operations: given } = asked as {
    readonly operations: readonly { readonly method: string; readonly component: string; readonly purge?: boolean }[]
  }
  const { results } = answered as { readonly results: readonly { readonly status: number; readonly record?: Record<string, unknown> }[] }
  return given.flatMap(({ method, component, purge }, index) => {
    const room = rooms.find(({ accessor }) => accessor.component === component)
    const { status, record } = results[index] ?? {}
    const operation = purge ? 'purge' : askedBy(method)
    return room ? [{ room, operation: status === 201 ? 'create' : operation, records: record ? [record] : [] }] : []
  })
}

function isPurge(request: FastifyRequest): boolean {
  return splitQuery(rawQuery(request)).some(({ name, value }) => name === 'purge' && readBoolean(value) === true)
}

/** The records in the answer to a request for one component. */
function recordsIn(operation: string | undefined, body: unknown): Record<string, unknown>[] {
  // How many were deleted, or whether one was restored.
  if (operation === 'deleteMany' || operation === 'restore') return []
  // Parsed JSON, or about to be it: a record, a list of them, or what tells of a deletion, which has none where the record was erased.
  const shown = operation === 'delete' ? ((body as { readonly record?: unknown }).record ?? []) : body
  return (Array.isArray(shown) ? shown : [shown]) as Record<string, unknown>[]
}

/** For each component whether the caller may read any of its records. */
export function readableNow(shown: readonly Shown[]): Readonly<Record<string, boolean>> {
  return Object.fromEntries(shown.map(({ room: { accessor } }) => [accessor.component, mayRead(accessor)]))
}

function mayRead(accessor: RecordRoom['accessor']): boolean {
  try {
    accessor.requireAccess('read')
    return true
  } catch (error) {
    if (error instanceof ForbiddenError) return false
    throw error
  }
}

/**
 * Holds an answer that is given again to the rules as they are now, and takes fields out of it that the caller may not read any more.
 * Throws ForbiddenError where the caller may not do it any more, or not read what it shows.
 */
export async function recheck({ readable }: KeptAnswer, shown: readonly Shown[]): Promise<void> {
  for (const { room, operation, records } of shown) {
    const { accessor } = room
    accessor.requireAccess(operation)
    // Whoever could read nothing then was shown what it had made itself.
    if (readable[accessor.component] === false && !mayRead(accessor)) continue
    const { fields } = accessor.visibleModel()
    for (const record of records) for (const { name, secret } of fields) if (secret) delete record[name]
    await requireReadable(room, records)
  }
}

async function requireReadable(room: RecordRoom, records: readonly Record<string, unknown>[]): Promise<void> {
  const { accessor } = room
  const { name } = accessor.model.id
  const ids = new Set(records.flatMap((record) => (record[name] === undefined ? [] : [idOf(room, String(record[name]))])))
  if (ids.size === 0) return
  // The id is a field of every model, and its name is not known here.
  const where = { [name]: { in: [...ids] } } as never
  const seen = await accessor.count(where, { includeDeleted: true })
  // Records that are gone since tell nobody anything.
  const there = seen === ids.size ? seen : await accessor.count(where, { includeDeleted: true, access: 'system' })
  if (seen < there) throw new ForbiddenError('You may not see any more what this request was answered. Ask for the records anew.')
}
