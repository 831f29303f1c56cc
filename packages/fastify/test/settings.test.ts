import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { format, inspect, parseEnv } from 'node:util'
import { defineModel, ModelAccessor, UsageError } from '@strongroom/core'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { type AuthenticationSettings, createServer } from '../src/index.ts'
import { bootstrapNames } from '../src/options.ts'
import { resolveServerOptions, serverNames } from '../src/server-options.ts'
import { readEnvironment } from '../src/settings/environment.ts'
import { allowedValue, settingNames, settingRow } from '../src/settings/settings-table.ts'

const accessors = [new ModelAccessor(defineModel('setting_users', { name: Type.String() }), 'users')]
const settingsOf = (environment: Record<string, string>, options: object = {}) =>
  resolveServerOptions({ accessors, ...options }, environment).server.settings
const canary = 'canary-of-the-secret-that-nobody-may-see'

test('every setting has its default', () => {
  const settings = settingsOf({})
  for (const name of settingNames) if (name !== 'DATABASE_URL') expect(settings[name], name).toEqual(settingRow(name).default)
  expect(settings.DATABASE_URL.reveal()).toBe('sqlite:./strongroom.db')
})

test('variables are read in the types of their settings', () => {
  const environment = {
    DATABASE_URL: 'postgres://app:pass@db/app',
    PORT: '8080',
    DEBUG: 'True',
    CORS_ORIGINS: 'https://a.example, http://localhost:5173,',
    RATE_LIMIT_ENABLED: 'on',
    RATE_LIMIT_REQUESTS: '20',
    APP_NAME: '',
  }
  const { server, bootstrap } = resolveServerOptions({ accessors }, environment)
  expect(server.settings).toMatchObject({ PORT: 8080, DEBUG: true, CORS_ORIGINS: ['https://a.example', 'http://localhost:5173'] })
  expect(server.rateLimit).toEqual({ requests: 20, period: 60 })
  expect(bootstrap).toMatchObject({ databaseUrl: 'postgres://app:pass@db/app', appName: 'Strongroom API' })
})

test('what is given in code wins, and a bad variable that it wins over does not matter', () => {
  const environment = { PORT: 'x', RATE_LIMIT_ENABLED: 'yes', RATE_LIMIT_PERIOD: '5', DEBUG: 'maybe' }
  const { server } = resolveServerOptions({ accessors, port: 0, debug: false, rateLimit: { requests: 7 } }, environment)
  expect(server.settings).toMatchObject({ PORT: 0, DEBUG: false })
  expect(server.rateLimit).toEqual({ requests: 7, period: 5 })
  expect(resolveServerOptions({ accessors, rateLimit: false }, { RATE_LIMIT_ENABLED: 'true' }).server.rateLimit).toBeUndefined()
})

test('one error lists every bad setting with what it may be, and tells no secret', () => {
  const bad = {
    PORT: '65536',
    DEBUG: 'maybe',
    LOG_LEVEL: 'loud',
    CORS_ORIGINS: 'example.com',
    RATE_LIMIT_REQUESTS: '0',
    SECRET_KEY: canary.slice(0, 20),
    DATABASE_URL: `//${canary}`,
  }
  let thrown: unknown
  try {
    settingsOf(bad, { appName: '', refreshTokenExpireDays: 1.5 })
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(UsageError)
  expect(thrown).toMatchObject({ code: 'invalid_settings' })
  const message = String(thrown)
  for (const name of Object.keys(bad)) expect(message).toContain(`The variable ${name} is `)
  expect(message).toContain('The variable PORT is a whole number from 0 to 65535, not "65536".')
  expect(message).toContain('The variable LOG_LEVEL is one of trace, debug, info, warn, error, fatal, silent, not "loud".')
  expect(message).toContain("The option appName is text of 1 to 200 characters, not ''.")
  expect(message).toContain('The option refreshTokenExpireDays is a whole number from 1 to 365, not 1.5.')
  expect(message).not.toContain('canary')
})

test('a secret is in nothing that is printed', () => {
  const settings = settingsOf({ SECRET_KEY: canary, DATABASE_URL: `postgres://app:${canary}@db/app?sslpassword=${canary}` })
  for (const text of [
    inspect(settings, { depth: 9, showHidden: true }),
    JSON.stringify(settings),
    format('%s %o', settings.SECRET_KEY, settings),
  ])
    expect(text).not.toContain('canary')
  expect(`${settings.DATABASE_URL}`).toBe('postgres://app:***@db/app?sslpassword=***')
  expect(settings.SECRET_KEY?.reveal()).toBe(canary)
})

test('the file .env fills in what the environment does not set', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-env-'))
  expect(readEnvironment({ HOST: '::1' }, folder)).toEqual({ HOST: '::1' })
  await writeFile(join(folder, '.env'), '# a comment\nHOST=0.0.0.0\nPORT=8080\nexport APP_NAME="My app" # mine\n')
  expect(readEnvironment({ HOST: '::1', PORT: '' }, folder)).toEqual({ HOST: '::1', PORT: '8080', APP_NAME: 'My app' })
  expect(() => readEnvironment({}, join(folder, '.env'))).not.toThrow()
})

test('what a program has instead of the defaults stands behind variables and options, and is looked at like them', () => {
  const defaults = { APP_NAME: 'Blog', RATE_LIMIT_ENABLED: true, RATE_LIMIT_REQUESTS: 600 } as const
  expect(resolveServerOptions({ accessors, defaults }, {}).server.rateLimit).toEqual({ requests: 600, period: 60 })
  expect(settingsOf({ APP_NAME: 'Diary', RATE_LIMIT_REQUESTS: '7' }, { defaults })).toMatchObject({
    APP_NAME: 'Diary',
    RATE_LIMIT_REQUESTS: 7,
  })
  expect(settingsOf({}, { defaults, appName: 'Notes', rateLimit: false })).toMatchObject({ APP_NAME: 'Notes', RATE_LIMIT_ENABLED: false })
  expect(() => settingsOf({}, { defaults: { PORT: 70_000 } })).toThrow(
    'The option defaults.PORT is a whole number from 0 to 65535, not 70000.',
  )
  expect(() => settingsOf({}, { defaults: { APP_NAM: 'Blog' } })).toThrow('"APP_NAM" is no option of defaults')
  // what is secret does not stand in a program
  expect(() => settingsOf({}, { defaults: { SECRET_KEY: canary } })).toThrow('"SECRET_KEY" is no option of defaults')
})

test('the first administrator comes from the variables or the option, to whatever makes the authentication', () => {
  const seen: unknown[] = []
  const auth = (settings: AuthenticationSettings): never => {
    seen.push(settings.firstAdministrator)
    return undefined as never
  }
  const environment = { FIRST_ADMIN_EMAIL: 'root@example.com', FIRST_ADMIN_PASSWORD: canary }
  resolveServerOptions({ accessors, auth }, environment)
  resolveServerOptions({ accessors, auth }, { FIRST_ADMIN_EMAIL: '', FIRST_ADMIN_PASSWORD: '' })
  resolveServerOptions({ accessors, auth }, { FIRST_ADMIN_EMAIL: 'root@example.com' })
  resolveServerOptions({ accessors, auth, firstAdministrator: { email: 'a@example.com', password: 'p' } }, environment)
  expect(seen).toEqual([
    { email: 'root@example.com', password: canary },
    undefined,
    { email: 'root@example.com', password: undefined },
    { email: 'a@example.com', password: 'p' },
  ])
  const { settings } = resolveServerOptions({ accessors, auth }, environment).server
  expect(`${JSON.stringify(settings)}${inspect(settings, { depth: 9 })}`).not.toContain('canary')
  expect(() => settingsOf({ FIRST_ADMIN_EMAIL: 'root' })).toThrow('The variable FIRST_ADMIN_EMAIL is an e-mail address, not "root".')
})

test('the proxies that are believed come from the option or the variable', () => {
  const trusted = (environment: Record<string, string>, options: object = {}) =>
    resolveServerOptions({ accessors, ...options }, environment).server.trustProxy
  expect(trusted({})).toBe(false)
  expect(trusted({ TRUST_PROXY: '10.0.0.0/8, ::1' })).toBe('10.0.0.0/8, ::1')
  expect(trusted({ TRUST_PROXY: 'loopback' }, { trustProxy: 1 })).toBe(1)
  expect(() => trusted({ TRUST_PROXY: 'the proxy' })).toThrow('The variable TRUST_PROXY is addresses and networks')
})

test('a server says its name and version in the log and in its document', async () => {
  const lines: string[] = []
  const app = await createServer({
    accessors,
    databaseUrl: 'sqlite::memory:',
    port: 0,
    appName: 'Bookshop',
    appVersion: '2.1.0',
    secretKey: canary,
    logger: { stream: { write: (line: string) => lines.push(line) } },
  })
  const document = await app.inject({ url: '/openapi.json' })
  await app.close()
  expect(document.json()).toMatchObject({ info: { title: 'Bookshop', version: '2.1.0' } })
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    app: 'Bookshop',
    version: '2.1.0',
    settings: { SECRET_KEY: '***', PORT: 0, ACCESS_TOKEN_EXPIRE_MINUTES: 15 },
    msg: 'the server starts',
  })
  expect(lines.join('')).not.toContain('canary')
})

test('a log file that cannot be written ends the start', async () => {
  const options = { accessors, databaseUrl: 'sqlite::memory:', port: 0, logger: { stream: { write: () => undefined } } }
  await expect(createServer({ ...options, logFile: '/dev/null/app.log' })).rejects.toMatchObject({ code: 'invalid_settings' })
})

test('the examples’ .env.example name settings that there are, and values that can be', async () => {
  const folder = new URL('../../../examples/', import.meta.url)
  /** For others: the compose file, and the SDK of OpenTelemetry. */
  const others = ['POSTGRES_PASSWORD', 'DOMAIN', 'OTEL_EXPORTER_OTLP_ENDPOINT']
  const examples = (await readdir(folder)).filter((name) => existsSync(new URL(`${name}/.env.example`, folder)))
  expect(examples.length).toBeGreaterThanOrEqual(4)
  for (const example of examples) {
    const variables = parseEnv(await readFile(new URL(`${example}/.env.example`, folder), 'utf8'))
    const unknown = Object.keys(variables).filter((name) => !settingNames.some((known) => known === name) && !others.includes(name))
    expect(unknown, example).toEqual([])
    expect(() => settingsOf(variables as Record<string, string>), example).not.toThrow()
  }
})

test('the page of settings has every variable as it is, every option, and no other', async () => {
  const text = await readFile(new URL('../../../docs/reference/settings.md', import.meta.url), 'utf8')
  const rows = [...text.matchAll(/^\| `([A-Z_]+)` \| `([\w.]+)` \| (.+?) \| (.+?) \| (.+?) \|$/gm)].map((row) => row.slice(1))
  expect(rows).toEqual(
    settingNames.map((name) => {
      const { option, default: value, doc } = settingRow(name)
      const shown = value === undefined || Array.isArray(value) ? 'none' : `\`${value}\``
      return [name, option, shown, allowedValue(name), doc]
    }),
  )
  const named = new Set(
    [...text.matchAll(/^\| +((`\w+`(, )?)+)[^|]*\|/gm)].flatMap(([, names = '']) => [...names.matchAll(/\w+/g)].map(String)),
  )
  const options = new Set(settingNames.map((name) => settingRow(name).option))
  for (const option of serverNames) expect(options.has(option) || named.has(option), option).toBe(true)
  for (const option of bootstrapNames) expect(text, option).toContain(`\`${option}`)
})
