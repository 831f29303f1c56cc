import { isUtf8 } from 'node:buffer'
import { patchTypes, type ReadJson, readJson } from '@strongroom/contract'
import { StrongroomError, ValidationError } from '@strongroom/core'
import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify'

/** Objects and lists within each other; who walks deeper ones recursively may run out of stack. */
const deepest = 100

/** Gives a scope its own way to read bodies: JSON, and JSON Merge Patch for PATCH. Everything else is 415. */
export function readJsonBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  for (const mediaType of new Set(['application/json', ...patchTypes])) {
    scope.addContentTypeParser(mediaType, { parseAs: 'buffer' }, async (request: FastifyRequest, bytes: Buffer) => {
      if (mediaType !== 'application/json' && request.method !== 'PATCH') {
        throw new StrongroomError('unsupported_media_type', 'Send the body as application/json; a merge patch is for PATCH.')
      }
      // Nobody has unpacked it: a host may have a hook that does.
      if (request.headers['content-encoding'] !== undefined && !isUtf8(bytes)) {
        throw new StrongroomError('unsupported_media_type', 'Send the body as it is, without Content-Encoding.')
      }
      return parseBody(bytes)
    })
  }
  // Clients name a type where nothing follows: ra-data-simple-rest deletes with text/plain.
  scope.addContentTypeParser('*', async (request: FastifyRequest) => {
    if (request.method !== 'DELETE' || hasBody(request)) throw new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE()
    return undefined
  })
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

/** Reads a body; undefined when there is none. Throws `bad_request` for what is not JSON, too deep, or tampers with prototypes. */
export function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined
  if (!isUtf8(bytes)) throw new StrongroomError('bad_request', 'The body is not UTF-8 text.')
  const body = parseJson(bytes.toString('utf8').replace(/^\ufeff/, ''))
  const fault = findFault(body, 0)
  if (fault) throw new StrongroomError('bad_request', fault)
  return body
}

function parseJson(text: string): unknown {
  const { value, inexact } = understood(text)
  if (inexact.length === 0) return value
  throw new ValidationError(
    inexact.map(({ key, source }) => ({ path: key, message: `${source} is more than a JSON number carries exactly; send it as text` })),
  )
}

function understood(text: string): ReadJson {
  try {
    return readJson(text)
  } catch (cause) {
    throw new StrongroomError('bad_request', 'The body is not JSON.', { cause })
  }
}

function findFault(value: unknown, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (depth >= deepest) return `The body is nested more than ${deepest} deep.`
  if (!Array.isArray(value)) {
    if (Object.hasOwn(value, '__proto__')) return 'The body has a member called __proto__, which no record can have.'
    if (Object.hasOwn(value, 'constructor') && hasPrototype(value.constructor))
      return 'The body has a member called constructor.prototype, which no record can have.'
  }
  for (const member of Object.values(value)) {
    const fault = findFault(member, depth + 1)
    if (fault) return fault
  }
  return undefined
}

function hasPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')
}

/** The body of a request that needs one. */
export function bodyOf(request: FastifyRequest): unknown {
  if (request.body === undefined)
    throw new StrongroomError('bad_request', 'The request has no body. Send a JSON object with a value for each field.')
  return request.body
}
