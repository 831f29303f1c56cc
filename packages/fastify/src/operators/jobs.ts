import { ConflictError, type Job, NotFoundError, type Storage } from '@strongroom/core'
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { readFlags } from '../query.ts'
import { answerJson } from '../reply.ts'
import { type Operators, requireOperator } from './guard.ts'
import { guarded } from './guarded.ts'
import { wireJob } from './wire-job.ts'

/** `GET /db/jobs`: the newest jobs. */
export function listJobs(storage: Storage, operators: Operators): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    readFlags(request, [])
    const jobs = await storage.jobs.list()
    return answerJson(guarded(reply), 200, jobs.map(wireJob), { message: 'Jobs found' })
  }
}

/** `GET /db/jobs/{id}`: how far a job is, or how it ended. */
export function getJob(storage: Storage, operators: Operators): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    readFlags(request, [])
    const job = await storage.jobs.get(idOf(request))
    if (!job) throw new NotFoundError('There is no such job, or it ended more than 7 days ago.')
    return sendJob(reply, 200, job, `The job is ${job.state}`)
  }
}

/** Milliseconds that a cancelled job is waited for. */
const patience = 2_000

/** `DELETE /db/jobs/{id}`: ends a job. */
export function cancelJob(storage: Storage, operators: Operators, closing: AbortSignal): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    readFlags(request, [])
    const { id } = await storage.jobs.cancel(idOf(request))
    const job = await storage.jobs.wait(id, { timeout: patience, signal: closing })
    if (job.state === 'done') throw new ConflictError('state_conflict', 'The job was done before it could be cancelled.')
    return sendJob(reply, 200, job, job.state === 'running' ? 'The job was told to end' : `The job is ${job.state}`)
  }
}

/** Answers a job. */
export function sendJob(reply: FastifyReply, status: number, job: Job, message: string): string {
  return answerJson(guarded(reply), status, wireJob(job), { message })
}

function idOf(request: FastifyRequest): string {
  // The route has this parameter.
  return (request.params as { readonly id: string }).id
}
