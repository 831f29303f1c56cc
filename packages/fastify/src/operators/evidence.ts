import { proofParameters, readParameters, readWholeNumber, verifyParameters } from '@strongroom/contract'
import { InvalidQueryError, NotFoundError, readCheckpoints, type Storage, StrongroomError } from '@strongroom/core'
import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { rawQuery, readFlags, readQuery } from '../query.ts'
import { answerJson } from '../reply.ts'
import { goneSignal } from './download.ts'
import { type Operators, requireOperator } from './guard.ts'
import { guarded } from './guarded.ts'

/** Seconds after which another try makes sense: a million entries take as long. */
const retryAfter = 10

/** `GET /db/audit/verify`: goes through the log, one request at a time: each takes most of a processor. */
export function verifyAudit(storage: Storage, operators: Operators): RouteHandlerMethod {
  let running = false
  return async (request, reply) => {
    await requireOperator(operators, request)
    const options = readVerifyQuery(request)
    if (running) throw new StrongroomError('server_busy', 'A verification is under way. Try again when it has ended.', { retryAfter })
    running = true
    try {
      const verdict = await storage.audit.verify({ ...options, signal: goneSignal(reply) })
      return answerJson(guarded(reply), 200, verdict, { message: verdict.ok ? 'The audit log is whole' : 'The audit log has a fault' })
    } finally {
      running = false
    }
  }
}

/** `GET /db/audit/checkpoint`: where the log stands, signed. */
export function auditCheckpoint(storage: Storage, operators: Operators): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    readFlags(request, [])
    const checkpoint = await storage.audit.checkpoint()
    return answerJson(guarded(reply), 200, checkpoint, { message: 'Checkpoint made' })
  }
}

/** `GET /db/audit/{id}/proof`: that an entry is in the log. */
export function auditProof(storage: Storage, operators: Operators): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    const size = readSize(request)
    // The route has this parameter.
    const { id: text } = request.params as { readonly id: string }
    const id = readWholeNumber(text, 1, Number.MAX_SAFE_INTEGER)
    if (id === undefined) throw new NotFoundError('There is no such audit entry.')
    const proof = await storage.audit.proof(id, { size })
    return answerJson(guarded(reply), 200, proof, { message: 'Proof made' })
  }
}

// The contract lists exactly these; a test holds them together.
const verifyNames = verifyParameters.map(({ name }) => name) as ('checkpoint' | 'public_key')[]
const proofNames = proofParameters.map(({ name }) => name) as 'size'[]

function readVerifyQuery(request: FastifyRequest): NonNullable<Parameters<Storage['audit']['verify']>[0]> {
  return readQuery(() => {
    const given = readParameters(rawQuery(request), verifyNames)
    const [checkpoint, publicKey] = [given.get('checkpoint'), given.get('public_key')]
    if (publicKey !== undefined && checkpoint === undefined)
      throw new InvalidQueryError('public_key says whose checkpoint is believed: give the checkpoint, too.')
    return { checkpoints: checkpoint === undefined ? [] : readCheckpoints(checkpoint), publicKey }
  })
}

function readSize(request: FastifyRequest): number | undefined {
  return readQuery(() => {
    const value = readParameters(rawQuery(request), proofNames).get('size')
    const size = value === undefined ? undefined : readWholeNumber(value, 1, Number.MAX_SAFE_INTEGER)
    if (value !== undefined && size === undefined) throw new InvalidQueryError('size is that of a checkpoint: a whole number from 1 on.')
    return size
  })
}
