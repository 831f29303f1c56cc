import { readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openStorage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { describe, expect, test } from 'vitest'
import { makeAccessors } from './models.ts'
import { freshFolder, models, strongroom } from './support.ts'

/** A module of models that ask for more than those of the tests do. */
const wider = `import { defineModel, ModelAccessor, Ref } from '@strongroom/core'
import { Type } from 'typebox'
const User = defineModel('users', { name: Type.String(), password_hash: Type.Optional(Type.String()), team: Type.String() }, { secret: ['password_hash'] })
const Task = defineModel('tasks', { title: Type.String(), owner_id: Type.Optional(Ref(() => User)) })
export const accessors = [new ModelAccessor(User, 'users'), new ModelAccessor(Task, 'tasks')]
`

describeEngines('strongroom migrate', (engine) => {
  const prepare = async () => {
    const folder = await freshFolder()
    const url = await engine.freshUrl()
    const accessors = makeAccessors()
    const storage = await openStorage({ url, accessors })
    await accessors[0].insert({ name: 'Ada' })
    await storage.close()
    symlinkSync(fileURLToPath(new URL('../node_modules', import.meta.url)), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'wider.ts'), wider)
    const migrations = join(folder, 'migrations')
    const call = (action: string, ...args: readonly string[]) =>
      strongroom(['migrate', ...action.split(' '), '--migrations', migrations, ...args], { env: { DATABASE_URL: url } })
    return { url, migrations, call, wider: join(folder, 'wider.ts') }
  }

  test('tells what differs, writes a migration, applies it, and takes it back', async () => {
    const { migrations, call, wider: module } = await prepare()
    expect(await call('diff', '--accessors', models)).toMatchObject({ code: 0, stdout: 'The tables are as the models want them.\n' })
    const differs = await call('diff', '--accessors', module)
    expect(differs).toMatchObject({ code: 3, stdout: expect.stringMatching(/users\.team is missing.*This needs a migration\.\n$/) })
    expect((await call('diff', '--accessors', module, '--json')).json).toMatchObject({
      need_migration: [expect.stringContaining('users.team')],
      leftovers: [],
    })

    expect(await call('new add_team', '--accessors', module)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/_add_team\.ts is written/),
    })
    const [file = ''] = readdirSync(migrations)
    expect((await call('status', '--json')).json).toEqual({ applied: [], pending: [file.replace('.ts', '')], changed: [], missing: [] })
    const refused = await call('up', '--accessors', module, '--user', 'olga')
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringMatching(/users\.team takes no null, and one record would have none/) })

    const text = `import type { SchemaEditor } from '@strongroom/core'
export const up = (_db: unknown, schema: SchemaEditor) => schema.alterTable('users', { addFields: { team: { type: 'text', fill: 'red' } } })
export const down = (_db: unknown, schema: SchemaEditor) => schema.alterTable('users', { dropFields: { team: { type: 'text', discard: true } } })
`
    writeFileSync(join(migrations, file.replace('add_team', 'fill_team')), text)
    const { rmSync } = await import('node:fs')
    rmSync(join(migrations, file))
    const name = file.replace('add_team.ts', 'fill_team')
    expect(await call('up', '--accessors', module, '--user', 'olga')).toMatchObject({ code: 0, stdout: `${name} is applied.\n` })
    expect(await call('up', '--accessors', module)).toMatchObject({ code: 0, stdout: 'Nothing is pending.\n' })
    expect(await call('status')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^MIGRATION .*\n${name} +applied +olga`)),
    })
    writeFileSync(join(migrations, `${name}.ts`), `${text}// more\n`)
    expect(await call('status')).toMatchObject({ code: 3, stdout: expect.stringContaining('changed since') })
    expect(await call('down')).toMatchObject({ code: 3, stderr: expect.stringMatching(new RegExp(`${name} was changed`)) })
    writeFileSync(join(migrations, `${name}.ts`), text)
    expect(await call('down', '--json')).toMatchObject({ code: 0, json: { reverted: [name] } })
    expect(await call('diff', '--accessors', models)).toMatchObject({ code: 0 })
  })
})

describe('strongroom migrate', () => {
  test('makes a database where that is said, and looks at none that there is not', async () => {
    const folder = await freshFolder()
    const file = join(folder, 'new.db')
    const common = ['--database', file, '--accessors', models, '--migrations', folder]
    for (const action of ['diff', 'up', 'down']) {
      expect(await strongroom(['migrate', action, ...common])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('no database file'),
      })
    }
    expect(readdirSync(folder)).toEqual([])
    expect(await strongroom(['migrate', 'up', '--create', ...common])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('were made'),
    })
    expect(await strongroom(['migrate', 'diff', ...common])).toMatchObject({ code: 0 })
  })

  test.each([
    [[], /Say what to do/],
    [['dif'], /Did you mean diff/],
    [['up', 'more'], /"more" is too much/],
    [['diff'], /Say which database/],
    [['diff', '--database', 'http://127.0.0.1:1'], /not through a server/],
    [['diff', '--database', './no.db'], /needs the models/],
    [['new', '--database', './no.db'], /Say what it is about/],
    [['down', '--steps', 'x', '--database', './no.db'], /no database file/],
    [['status', '--database', './no.db', '--migrations', './nowhere'], /.+/],
  ])('%j is wrong use', async (args, sentence) => {
    const { code, stderr } = await strongroom(['migrate', ...args])
    expect(stderr).toMatch(sentence)
    expect([2, 4]).toContain(code)
  })
})
