import { rmSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join } from 'node:path'

/**
 * What starts threads, loads parts when they are needed and tells errors by their class, on the packages as they are published: `node
 * --conditions=strongroom-published program.ts URL OTHER_URL FOLDER`. Prints what came of it.
 */
const [, , url = '', otherUrl = '', folder = ''] = process.argv

const ownModule = /\/packages\/(?:contract|core|fastify)\/(?!test\/|dist\/bundle\/)/
registerHooks({
  load: (file, context, next) => {
    if (ownModule.test(file)) throw new Error(`${file} is no part of what is published`)
    return next(file, context)
  },
})

const { defineModel, ModelAccessor, moveDatabase, openStorage, StrongroomError, ValidationError } = await import('@strongroom/core')
const { bootstrap } = await import('@strongroom/fastify')
const { default: Fastify } = await import('fastify')
const { sql } = await import('kysely')
const { Type } = await import('typebox')
const { moveDatabase: sameMove } = await import('@strongroom/core/move')

const people = () =>
  new ModelAccessor(defineModel('people', { name: Type.String({ maxLength: 2_000 }), email: Type.String({ format: 'email' }) }), 'people')
const app = Fastify()
const accessor = people()
const storage = await bootstrap(app, { accessors: [accessor], databaseUrl: url, auth: false, operators: 'loopback' })
const posted = await app.inject({
  method: 'POST',
  url: '/people',
  headers: { 'x-user': 'me' },
  payload: { name: 'Ada', email: 'ada@example.com' },
})
const refused = await app.inject({ method: 'POST', url: '/people', headers: { 'x-user': 'me' }, payload: { name: 'Ada', email: 'no' } })
const error: unknown = await accessor.insert({ name: 'Ada', email: 'no' }).catch((reason: unknown) => reason)

const csv = join(folder, 'people.csv')
const line = `${'n'.repeat(1_000)},person@example.com\r\n`
const { writeFile } = await import('node:fs/promises')
await writeFile(csv, `name,email\r\n${line.repeat(2_000)}`)
const imported = await storage.import({ people: csv }, { actor: 'me' })
const exported = await storage.export(join(folder, 'export.zip'))
const backup = join(folder, 'backup.sqlite')
await storage.backup(backup)
const verdict = await storage.audit.verify()
// Statements of the program's own, with parts that its own Kysely makes: the library brings another one.
const found = await storage.kysely.selectFrom('people').select(sql<string>`upper(name)`.as('loud')).where(sql<boolean>`id = ${1}`).execute()
const counted = await sql<{ people: number }>`SELECT count(*) AS people FROM ${sql.table('people')}`.execute(storage.kysely)
const diagram = await storage.diagram()
await accessor.purge(1)
const restored = await storage.restore(backup)
const back = await accessor.get(1)
await app.close()
await moveDatabase({ from: url, to: otherUrl, accessors: [people()] })
const moved = await openStorage({ url: otherUrl, accessors: [people()] })
const count = await moved.accessors[0]?.count()
await moved.close()
for (const file of ['people.csv', 'export.zip', 'backup.sqlite']) rmSync(join(folder, file))

process.stdout.write(
  JSON.stringify({
    posted: posted.statusCode,
    refused: refused.statusCode,
    error: error instanceof ValidationError && error instanceof StrongroomError && error.name,
    imported: imported.tables[0]?.inserted,
    exported: exported.files[0]?.rows,
    verified: verdict.ok,
    found: found[0]?.loud,
    counted: Number(counted.rows[0]?.people),
    diagram: diagram.includes('<svg'),
    restored: restored.restored,
    back: back?.name,
    moved: count,
    sameMove: sameMove === moveDatabase,
  }),
)
