import { fileURLToPath } from 'node:url'
import { StorageUnavailableError } from '@strongroom/core'
import { createServer } from '@strongroom/fastify'
import { loadFiles } from './load.ts'
import { countries, navaids, regions } from './models.ts'

const ownDatabase = `sqlite:${fileURLToPath(new URL('../quickstart.db', import.meta.url))}`

try {
  const app = await createServer({
    accessors: [countries, regions, navaids],
    databaseUrl: process.env['DATABASE_URL'] || ownDatabase,
    // who may use /db: programs on this machine, since the example has no users of its own
    // nobody logs in here: X-User says who writes, and is believed
    auth: false,
    operators: 'loopback',
    rateLimit: { requests: 600 },
    logger: { level: 'error' },
  })
  try {
    await loadFiles(app.storage)
    printUrls(app.listeningOrigin)
  } catch (error) {
    await app.close()
    throw error
  }
} catch (error) {
  // asked to stop in the middle of loading: the next start goes on from there
  if (!(error instanceof StorageUnavailableError && error.code === 'storage_closed')) {
    console.error(explain(error))
    process.exitCode = 1
  }
}

function printUrls(origin: string): void {
  console.log(`
Strongroom is serving at ${origin}
  ${origin}/navaids?country=IS&sort=name
  ${origin}/regions?country=IS
  ${origin}/docs           what it answers (OpenAPI: /openapi.json)
  ${origin}/db/audit       who changed what
  ${origin}/db/health

Try in another terminal:
  curl -s '${origin}/navaids?country=IS&type=VOR-DME&sort=-elevation_ft&limit=3'
  curl -s -X PATCH ${origin}/navaids/89286 -H 'X-User: me' --json '{"power": "LOW"}'
  curl -s '${origin}/db/audit?component=navaids&record_id=89286'

Stop it with Ctrl-C.`)
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (!('code' in error) || error.code !== 'EADDRINUSE') return error.message
  // what Node's server throws tells where it wanted to listen
  const { address, port } = error as Error & { address?: string; port?: number }
  return `Something else listens at ${address}:${port} already. Stop it, or choose another port: PORT=3001 npm start`
}
