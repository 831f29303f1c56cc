import { once } from 'node:events'
import { feathers } from '@feathersjs/feathers'
import { KnexService, transaction } from '@feathersjs/knex'
import { bodyParser, errorHandler, koa, parseAuthentication, rest } from '@feathersjs/koa'
import { Ajv, hooks } from '@feathersjs/schema'
import { getValidator, querySyntax, Type } from '@feathersjs/typebox'
import createKnex from 'knex'
import { announce } from '../../src/beside-hand/servers/announce.ts'

// As the generator of Feathers makes a server: `node server.mjs DATABASE`.
const [, , filename] = process.argv
const database = createKnex({
  client: 'better-sqlite3',
  connection: { filename },
  useNullAsDefault: true,
  pool: {
    afterCreate: (connection, done) => {
      for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON']) connection.pragma(pragma)
      done(null, connection)
    },
  },
})

const fields = {
  name: Type.String({ minLength: 1, maxLength: 200 }),
  email: Type.String({ minLength: 3, maxLength: 200 }),
  age: Type.Integer({ minimum: 0, maximum: 150 }),
}
const data = Type.Object(fields, { $id: 'UserData', additionalProperties: false })
const patch = Type.Partial(data, { $id: 'UserPatch' })
const stored = Type.Object({ id: Type.Integer(), ...fields }, { $id: 'User' })
const query = Type.Intersect([querySyntax(stored), Type.Object({}, { additionalProperties: false })], { additionalProperties: false })
const dataValidator = getValidator(data, new Ajv({}))
const patchValidator = getValidator(patch, new Ajv({}))
const queryValidator = getValidator(query, new Ajv({ coerceTypes: true }))

/** What is changed or removed, as it was. */
const remember = async (context) => {
  context.params.before = await context.service._get(context.id, { ...context.params, query: {} })
}

/** The entry in the audit table, in the transaction of the write. */
const tell = (operation) => async (context) => {
  const { before } = context.params
  const after = operation === 'delete' ? null : context.result
  await context.params.transaction.trx('audit').insert({
    timestamp: new Date().toISOString(),
    component: 'users',
    record_id: String((after ?? before).id),
    operation,
    actor: context.params.headers['x-user'],
    before: before ? JSON.stringify(before) : null,
    after: after && JSON.stringify(after),
    request_id: null,
  })
}
const stamp = (context) => {
  context.data = { ...context.data, created_at: new Date().toISOString(), deleted_at: null }
}

const app = koa(feathers())
app.use(errorHandler())
app.use(parseAuthentication())
app.use(bodyParser())
app.configure(rest())
app.use('users', new KnexService({ Model: database, name: 'users' }), { methods: ['find', 'get', 'create', 'patch', 'remove'] })
app.service('users').hooks({
  before: {
    all: [hooks.validateQuery(queryValidator)],
    create: [hooks.validateData(dataValidator), stamp, transaction.start()],
    patch: [hooks.validateData(patchValidator), transaction.start(), remember],
    remove: [transaction.start(), remember],
  },
  after: {
    create: [tell('create'), transaction.end()],
    patch: [tell('update'), transaction.end()],
    remove: [tell('delete'), transaction.end()],
  },
  error: { create: [transaction.rollback()], patch: [transaction.rollback()], remove: [transaction.rollback()] },
})

const server = await app.listen(0, '127.0.0.1')
if (!server.listening) await once(server, 'listening')
announce(`http://127.0.0.1:${server.address().port}`, async () => {
  await app.teardown(server)
  await database.destroy()
})
