import { subscribe } from 'node:diagnostics_channel'
import { ModelAccessor, type RestoreStepMessage } from '@strongroom/core'
import { bootstrap } from '@strongroom/fastify'
import Fastify from 'fastify'
import { Note, Thing } from './models.ts'

/** The server of the restore campaigns: `node server.ts URL`. It prints its URL, and then each step of a restore. */
const [, , databaseUrl = ''] = process.argv

const app = Fastify()
await bootstrap(app, { accessors: [new ModelAccessor(Thing, 'things'), new ModelAccessor(Note, 'notes')], databaseUrl })

// The channel's messages are documented: docs/guide/back-up-and-restore.md.
subscribe('strongroom:restore', (message) => process.stdout.write(`${(message as RestoreStepMessage).step}\n`))

// An import of a file on this machine.
app.post<{ Querystring: { file: string } }>('/imports', async ({ query }) =>
  app.storage.import({ things: query.file }, { actor: 'campaign' }),
)

process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`)
process.on('SIGTERM', () => void app.close())
