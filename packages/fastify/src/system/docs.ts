import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { mountRoute } from '../mount.ts'

/** Files of Swagger UI that the page needs. They are read from the package; the plugin itself would collide with a host that has it. */
const assets = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
} as const

/** Everything comes from this server, and no script stands in the page: strict policies of hosts let it through. */
const policy =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; frame-ancestors 'self'; base-uri 'self'"

const operation = 'docs'

/** Mounts the page that shows the OpenAPI document at `openapi`, and its files. */
export function mountDocs(scope: FastifyInstance, path: `/${string}`, openapi: `/${string}`): void {
  const base = `${scope.prefix}${path}`
  mountRoute(scope, { method: 'GET', path, operation }, async (_request, reply) =>
    reply.header('content-security-policy', policy).type('text/html; charset=utf-8').send(page(base)),
  )
  mountRoute(scope, { method: 'GET', path: `${path}/start.js`, operation }, async (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(startScript(`${scope.prefix}${openapi}`)),
  )
  for (const [name, type] of Object.entries(assets)) {
    mountRoute(scope, { method: 'GET', path: `${path}/${name}`, operation }, async (_request, reply) =>
      reply.type(type).send(await readAsset(name)),
    )
  }
}

const require = createRequire(import.meta.url)

function readAsset(name: string): Promise<Buffer> {
  return readFile(join(dirname(require.resolve('@fastify/swagger-ui')), 'static', name))
}

function page(base: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>API</title>
    <link rel="icon" href="${base}/favicon-32x32.png">
    <link rel="stylesheet" href="${base}/swagger-ui.css">
  </head>
  <body>
    <div id="api"></div>
    <script src="${base}/swagger-ui-bundle.js"></script>
    <script src="${base}/start.js"></script>
  </body>
</html>
`
}

function startScript(openapi: string): string {
  return `SwaggerUIBundle({ url: ${JSON.stringify(openapi)}, dom_id: '#api', deepLinking: true, validatorUrl: null })\n`
}
