import { AsyncLocalStorage } from 'node:async_hooks'
import { inject } from '@loopback/core'
import { DefaultTransactionalRepository, defineModelClass, Entity, juggler, ModelDefinition } from '@loopback/repository'
import { RestApplication } from '@loopback/rest'
import { defineCrudRestController } from '@loopback/rest-crud'
import { announce } from '../../src/beside-hand/servers/announce.ts'

// LoopBack's own controller for a model, whose repository writes the audit entry inside its transaction: `node server.mjs URL`.
const [, , url = ''] = process.argv
const schema = /search_path=(\w+)/.exec(decodeURIComponent(url))?.[1]
const database = new juggler.DataSource({ name: 'database', connector: 'postgresql', url, max: 16 })

const stored = (columnName, dataType, options = {}) => ({ ...options, postgresql: { columnName, dataType } })
const table = (name) => ({ postgresql: { schema, table: name } })
const id = stored('id', 'integer', { type: 'number', id: true, generated: true })
const User = defineModelClass(
  Entity,
  new ModelDefinition({ name: 'User', settings: { strict: true, forceId: true, ...table('users') } })
    .addProperty('id', id)
    .addProperty('name', stored('name', 'text', { type: 'string', required: true, jsonSchema: { minLength: 1, maxLength: 200 } }))
    .addProperty('email', stored('email', 'text', { type: 'string', required: true, jsonSchema: { minLength: 3, maxLength: 200 } }))
    .addProperty(
      'age',
      stored('age', 'integer', { type: 'number', required: true, jsonSchema: { type: 'integer', minimum: 0, maximum: 150 } }),
    )
    .addProperty('created_at', stored('created_at', 'timestamptz', { type: 'date' }))
    .addProperty('deleted_at', stored('deleted_at', 'timestamptz', { type: 'date', jsonSchema: { nullable: true } })),
)
const text = (name) => stored(name, 'text', { type: 'string' })
const Entry = defineModelClass(
  Entity,
  ['component', 'record_id', 'operation', 'actor', 'before', 'after', 'request_id'].reduce(
    (definition, name) => definition.addProperty(name, text(name)),
    new ModelDefinition({ name: 'Entry', settings: table('audit') })
      .addProperty('id', id)
      .addProperty('timestamp', stored('timestamp', 'timestamptz', { type: 'date' })),
  ),
)

const caller = new AsyncLocalStorage()
const entries = new DefaultTransactionalRepository(Entry, database)

class Users extends DefaultTransactionalRepository {
  constructor() {
    super(User, database)
  }

  create(record) {
    return this.#told('create', undefined, (options) => super.create({ ...record, created_at: new Date(), deleted_at: null }, options))
  }

  updateById(key, patch) {
    return this.#told('update', key, async (options) => {
      await super.updateById(key, patch, options)
      return this.findById(key, undefined, options)
    })
  }

  deleteById(key) {
    return this.#told('delete', key, async (options) => void (await super.deleteById(key, options)))
  }

  async #told(operation, key, work) {
    const actor = caller.getStore() ?? 'nobody'
    const transaction = await this.beginTransaction()
    try {
      const options = { transaction }
      const before = key === undefined ? undefined : await this.findById(key, undefined, options)
      const after = await work(options)
      await entries.create(
        {
          timestamp: new Date(),
          component: 'users',
          record_id: String((after ?? before).id),
          operation,
          actor,
          before: before && JSON.stringify(before),
          after: after && JSON.stringify(after),
        },
        options,
      )
      await transaction.commit()
      return after
    } catch (error) {
      await transaction.rollback()
      throw error
    }
  }
}

const app = new RestApplication({ rest: { port: 0, host: '127.0.0.1', openApiSpec: { disabled: true } } })
app.middleware((context, next) => caller.run(String(context.request.headers['x-user']), next))
app.bind('repositories.Users').to(new Users())
const UserController = defineCrudRestController(User, { basePath: '/users' })
inject('repositories.Users')(UserController, undefined, 0)
app.controller(UserController)
await app.start()

announce(app.restServer.url ?? '', async () => {
  await app.stop()
  await database.disconnect()
})
