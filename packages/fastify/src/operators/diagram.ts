import { diagramParameters, readFlag, readParameters } from '@strongroom/contract'
import { type DiagramOptions, diagramFormats, InvalidQueryError, type Storage } from '@strongroom/core'
import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { rawQuery, readQuery } from '../query.ts'
import { type Operators, requireOperator } from './guard.ts'

const mediaTypes = { svg: 'image/svg+xml; charset=utf-8', dot: 'text/vnd.graphviz; charset=utf-8' } as const

/** An SVG is a document: whatever stands in it, nothing runs and nothing is loaded. */
const policy = "default-src 'none'; style-src 'unsafe-inline'"

/** `GET /db/diagram.svg`: the tables with their fields, keys and references. */
export function drawDiagram(storage: Storage, operators: Operators): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    const { format, system } = readDiagramQuery(request)
    const diagram = await storage.diagram({ format, system })
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff').header('content-security-policy', policy)
    return reply.type(mediaTypes[format]).send(diagram)
  }
}

// The contract lists exactly these; a test holds them together.
const parameterNames = diagramParameters.map(({ name }) => name) as ('format' | 'system')[]

function readDiagramQuery(request: FastifyRequest): Required<DiagramOptions> {
  return readQuery(() => {
    const given = readParameters(rawQuery(request), parameterNames)
    const asked = given.get('format') ?? 'svg'
    const format = diagramFormats.find((known) => known === asked)
    if (!format) throw new InvalidQueryError(`format is one of ${diagramFormats.join(', ')}.`)
    return { format, system: readFlag('system', given.get('system')) }
  })
}
