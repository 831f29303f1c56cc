import type { FastifyInstance } from 'fastify'
import { sendProblem } from './problem.ts'

interface KnownPath {
  readonly pattern: RegExp
  readonly methods: Set<string>
}

/** Answers what no route is for: 405 with `Allow` where the path has other methods, else 404, with the page that has the paths. */
export function answerUnknownPaths(app: FastifyInstance): void {
  const paths = new Map<string, KnownPath>()
  let docs: string | undefined
  app.addHook('onRoute', ({ url, method, config }) => {
    // The page comes before its files.
    if (config?.strongroom?.operation === 'docs') docs ??= url
    const known = paths.get(url) ?? { pattern: patternOf(url), methods: new Set() }
    for (const one of [method].flat()) known.methods.add(one)
    paths.set(url, known)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? ''
    const methods = [...paths.values()].filter(({ pattern }) => pattern.test(path)).flatMap((known) => [...known.methods])
    if (methods.length === 0) {
      const advice = docs === undefined ? '' : ` ${docs} shows what there is.`
      return sendProblem(request, reply, { code: 'not_found', detail: `There is nothing at this path.${advice}` })
    }
    const allowed = [...new Set(methods)].sort().join(', ')
    reply.header('allow', allowed)
    return sendProblem(request, reply, { code: 'method_not_allowed', detail: `This path takes ${allowed}.` })
  })
}

function patternOf(url: string): RegExp {
  const steps = url.split('/').map((step) => (step.startsWith(':') ? '[^/]+' : step.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')))
  return new RegExp(`^${steps.join('/')}$`)
}
