import { runServer } from '@strongroom/fastify'
import { loadSample } from './sample.ts'
import { startServer } from './server.ts'

const sample = process.argv.includes('--sample')
await runServer(
  () => startServer(sample ? { beforeListen: ({ storage }) => loadSample(storage) } : {}),
  (origin) => `The blog is serving at ${origin}
  ${origin}/posts?sort=-published_at&include=category
  ${origin}/docs`,
)
