import type { ErrorCode } from '@strongroom/contract'
import type { FastifyInstance } from 'fastify'

const decorator = Symbol('strongroom.announced-errors')

/** Says which errors the routes of a scope can answer with beside their own, so that the OpenAPI document has them. */
export function announceErrors(scope: FastifyInstance, codes: readonly ErrorCode[]): void {
  scope.decorate(decorator, [...announcedErrors(scope), ...codes])
}

/** The errors that were announced for a scope. */
export function announcedErrors(scope: FastifyInstance): readonly ErrorCode[] {
  return scope.hasDecorator(decorator) ? scope.getDecorator<readonly ErrorCode[]>(decorator) : []
}
