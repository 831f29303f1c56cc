import { parseArgs } from 'node:util'
import { loadSample } from './sample.ts'
import { startServer } from './server.ts'

const { values } = parseArgs({ options: { sample: { type: 'boolean', default: false } } })

try {
  const app = await startServer()
  try {
    if (values.sample) await loadSample(app.storage)
  } catch (error) {
    await app.close()
    throw error
  }
  console.log(`Logs are taken at ${app.listeningOrigin}
  ${app.listeningOrigin}/docs`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
