import { bootstrap } from '@strongroom/fastify'
import Fastify from 'fastify'
import { userAccessor } from '../strongroom-users.ts'

const app = Fastify()
await bootstrap(app, { accessors: [userAccessor()], databaseUrl: `sqlite:${process.argv[2]}`, enableDbRouter: false })
process.stdout.write(`${await app.listen({ port: 0, host: '127.0.0.1' })}\n`)
process.on('SIGTERM', () => void app.close())
