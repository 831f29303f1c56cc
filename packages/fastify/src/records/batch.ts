import { mostOperations, parseEntityTags, QueryError } from '@strongroom/contract'
import { ForbiddenError, type Storage, StrongroomError, type WriteOptions } from '@strongroom/core'
import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { isAnonymous } from '../auth/identity.ts'
import { bodyOf } from '../body.ts'
import { readFlags } from '../query.ts'
import { type Answer, leftTag, tagOf, writeRoute } from './answer.ts'
import { BatchOperationError } from './batch-error.ts'
import { type BatchOperation, invalid, readOperation, resolveReferences } from './batch-operation.ts'
import { refuseConditions } from './entity-tags.ts'
import { performPatch } from './patch.ts'
import { newRecord } from './record-body.ts'
import { idOf, modelToWrite, noRecord, type RecordRoom, wireRecord, writeOptions } from './record-room.ts'
import { performSave } from './save.ts'

type Wire = Readonly<Record<string, unknown>>

/** What one operation answered. */
interface OperationResult {
  readonly status: number
  readonly record?: Wire
  /** Of the record as this operation left it. */
  readonly etag?: string
  readonly restored?: boolean
}

/** `POST /batch`: operations of several components in one transaction, in their order. */
export function runBatch(storage: Storage, rooms: readonly [RecordRoom, ...RecordRoom[]]): RouteHandlerMethod {
  const [first] = rooms
  return writeRoute(
    first,
    async (request): Promise<Answer> => {
      const flags = readFlags(request, ['dry_run'])
      const write = await writeOptions(first, request, flags.dry_run)
      refuseConditions(request, 'Leave them out here, and give the operations of the batch their if_match.')
      const operations = operationsOf(request)
      // Where there is nothing to do, no rule is asked who may.
      if (operations.length === 0 && isAnonymous(request)) throw new ForbiddenError('Nobody in particular may send a batch of nothing.')
      const results = await storage.transaction(() => runAll(rooms, operations, withoutDryRun(write)), write)
      return { status: 200, message: 'All operations done', body: { results: flags.dry_run ? results.map(withoutTag) : results } }
    },
    { rooms },
  )
}

/** The transaction is rolled back as a whole: its operations have to see each other. */
function withoutDryRun({ dryRun: _, ...write }: WriteOptions): WriteOptions {
  return write
}

/** After a dry run nobody will find a record so. */
function withoutTag({ etag: _, ...result }: OperationResult): OperationResult {
  return result
}

function operationsOf(request: FastifyRequest): readonly unknown[] {
  const body = bodyOf(request)
  if (typeof body !== 'object' || body === null || !('operations' in body) || !Array.isArray(body.operations)) {
    throw invalid('operations', 'must be a list of operations')
  }
  const stranger = Object.keys(body).find((name) => name !== 'operations')
  if (stranger !== undefined) throw invalid(stranger, 'is no part of a batch; there is operations')
  if (body.operations.length > mostOperations) throw invalid('operations', `must be at most ${mostOperations}`)
  return body.operations
}

async function runAll(rooms: readonly RecordRoom[], operations: readonly unknown[], write: WriteOptions): Promise<OperationResult[]> {
  const results: OperationResult[] = []
  for (const [index, operation] of operations.entries()) {
    try {
      results.push(await runOne(rooms, readOperation(operation), results, write))
    } catch (error) {
      throw new BatchOperationError(index, error)
    }
  }
  return results
}

async function runOne(
  rooms: readonly RecordRoom[],
  operation: BatchOperation,
  results: readonly OperationResult[],
  write: WriteOptions,
): Promise<OperationResult> {
  const room = rooms.find(({ accessor }) => accessor.component === operation.component)
  if (!room) throw invalid('component', `must be one of ${rooms.map(({ accessor }) => accessor.component).join(', ')}`)
  const records = results.map((result) => result.record)
  const body = resolveReferences(operation.body, '', records)
  const id = operation.id === undefined ? undefined : operationId(room, resolveReferences(operation.id, 'id', records))
  const options = { ...write, ...ifMatchOf(room, operation) }
  const { accessor } = room
  switch (operation.method) {
    case 'create':
      return recordResult(room, 201, await accessor.insert(newRecord(modelToWrite(room, 'create'), body), write))
    case 'save': {
      const { row, created } = await performSave(room, { id, body, replace: operation.replace, write: options, onlyNew: false })
      return recordResult(room, created ? 201 : 200, row)
    }
    case 'patch':
      return recordResult(room, 200, await performPatch(room, id, body, options))
    case 'delete': {
      const row = await accessor.deleteReturning(id, { ...options, purge: operation.purge })
      if (!row) throw noRecord(room, id)
      return { status: 200, record: wireRecord(room, row), ...leftTag(room, row, operation.purge) }
    }
    default: {
      const restored = await accessor.restore(id, options)
      if (!restored && !(await accessor.get(id, { includeDeleted: true }))) throw noRecord(room, id)
      return { status: 200, restored }
    }
  }
}

function recordResult(room: RecordRoom, status: number, row: object): OperationResult {
  return { status, record: wireRecord(room, row), ...tagOf(row) }
}

/** A list of one id reads like it as text, and is none. */
function operationId(room: RecordRoom, given: unknown): unknown {
  if (typeof given === 'string' || typeof given === 'number') return idOf(room, String(given))
  throw invalid('id', 'must be the id of a record, as text or a number')
}

function ifMatchOf(room: RecordRoom, { ifMatch, method }: BatchOperation): { ifMatch?: readonly string[] } {
  if (ifMatch === undefined && room.requireIfMatch && method !== 'create' && method !== 'restore') {
    throw new StrongroomError('precondition_required', 'Give the ETag of the record as if_match, so that nobody else’s change is lost.')
  }
  if (ifMatch === undefined) return {}
  try {
    const tags = parseEntityTags('if_match', ifMatch)
    return { ifMatch: tags.any ? ['*'] : tags.strong }
  } catch (error) {
    throw error instanceof QueryError ? invalid('if_match', 'must be an ETag') : error
  }
}
