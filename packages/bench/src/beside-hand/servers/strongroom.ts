import { bootstrap } from '@strongroom/fastify'
import Fastify from 'fastify'
import { userAccessor } from '../../strongroom-users.ts'
import { poolSize } from '../settings.ts'
import { announce } from './announce.ts'

/** Strongroom as it is when nothing is said: `node strongroom.ts URL`. */
const app = Fastify()
await bootstrap(app, { accessors: [userAccessor()], databaseUrl: process.argv[2] ?? '', postgres: { poolSize } })
announce(await app.listen({ port: 0, host: '127.0.0.1' }), () => app.close())
