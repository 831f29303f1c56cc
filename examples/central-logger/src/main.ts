import { runServer } from '@strongroom/fastify'
import { loadSample } from './sample.ts'
import { startServer } from './server.ts'

const sample = process.argv.includes('--sample')
await runServer(
  () => startServer(sample ? { beforeListen: ({ storage }) => loadSample(storage) } : {}),
  (origin) => `Logs are taken at ${origin}
  ${origin}/dashboard
  ${origin}/docs`,
)
