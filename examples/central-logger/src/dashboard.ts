import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import type { FastifyInstance } from 'fastify'

const folder = new URL('../dashboard/', import.meta.url)
const files = ['api', 'app', 'charts', 'dom', 'filters', 'format', 'key-view', 'log-list', 'overview-view', 'parts', 'ticket-view']
const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.html': 'text/html',
}

/** The page asks nobody but this server, and no script runs in it that is not one of its files. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

/** The page at `/dashboard`. It has no rights of its own: it asks the API with the key that its user gives it. */
export function mountDashboard(scope: FastifyInstance): void {
  serve('/dashboard', 'index.html')
  for (const name of ['style.css', 'icon.svg', ...files.map((file) => `${file}.js`)]) serve(`/dashboard/${name}`, name)

  function serve(path: string, name: string): void {
    scope.get(path, async (_request, reply) =>
      reply
        .header('content-security-policy', policy)
        .header('cache-control', 'no-cache')
        .type(`${types[extname(name)]}; charset=utf-8`)
        .send(await readFile(new URL(name, folder))),
    )
  }
}
