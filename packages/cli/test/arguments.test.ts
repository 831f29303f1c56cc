import { describe, expect, test } from 'vitest'
import { readInstant } from '../src/arguments/instant.ts'
import { commands } from '../src/commands/all-commands.ts'
import { exitCodeOf } from '../src/exit-codes.ts'
import { Fault } from '../src/faults.ts'
import { readFault } from '../src/http/read-fault.ts'
import { strongroom } from './support.ts'

test.each([
  [[], 'Usage: strongroom COMMAND'],
  [['bakup'], 'Did you mean backup?'],
  [['frobnicate'], 'There are backup, restore,'],
  [['audit', 'x.sqlite', '--actr', 'a'], 'Did you mean --actor?'],
  [['audit', 'x.sqlite', '--frobnicate'], 'There are --component,'],
  [['audit', 'x.sqlite', '--actor'], '--actor needs a value: --actor NAME.'],
  [['audit', 'x.sqlite', '--actor', '--json'], '--actor needs a value'],
  [['audit', 'x.sqlite', '--actor='], '--actor needs a value'],
  [['audit', 'x.sqlite', '--actor', 'a', '--actor', 'b'], '--actor is given twice'],
  [['audit', 'x.sqlite', '--json=yes'], '--json takes no value'],
  [['audit', 'x.sqlite', 'y.sqlite'], '"y.sqlite" is too much'],
  [['audit', 'x.sqlite', '--limit', '0'], '--limit is a whole number from 1 on'],
  [['audit', 'x.sqlite', '--operation', 'steal'], '--operation is one of create, update'],
  [['audit', 'x.sqlite', '--since', 'yesterday'], '--since takes a date or an instant'],
  [['export', 'x.sqlite', '--secrets', 'all'], '--secrets is one of mask, include'],
  [['health'], 'or set STRONGROOM_URL'],
  [['health', 'mysql://h/d'], 'is of no engine'],
  [['health', 'http://'], 'is no URL'],
  [['health', 'http://127.0.0.1:1', '--header', 'nonsense'], '--header takes NAME: VALUE'],
  [['restore', '--yes', '--into', 'http://127.0.0.1:1'], 'Say which file to restore'],
  [['restore', 'x', '--undo', '--yes', '--into', 'http://127.0.0.1:1'], '--undo takes no file'],
  [['restore', 'none', '--yes', '--into', 'http://127.0.0.1:1'], 'There is no file none'],
  [['restore', '--into', 'http://127.0.0.1:1'], 'Say which file to restore'],
  [['restore', '.', '--yes', '--into', 'http://127.0.0.1:1'], '. is a folder'],
  [['backup', 'http://127.0.0.1:1', '-o', '..', '--force'], '.. is a folder'],
  [['health', '..'], '.. is a folder'],
  [['import', '--into', 'http://127.0.0.1:1'], 'Say what to import'],
  [['import', 'x.txt', '--into', 'http://127.0.0.1:1'], 'users=x.txt'],
  [['import', 'a.zip', 'b.csv', '--into', 'http://127.0.0.1:1'], 'A zip is imported alone'],
])('%j is wrong usage, and says how it is right', async (args, words) => {
  const { code, stdout, stderr } = await strongroom(args)
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(words)])
  expect(stderr).toMatch(/--help/)
})

test('wrong usage is a document, too, where that is asked for', async () => {
  const { json } = await strongroom(['backup', '--fast', '--json'])
  expect(json).toMatchObject({ status: 'error', error: { code: 'wrong_use', message: expect.stringContaining('--fast') } })
})

test('help and version are there without a target', async () => {
  expect((await strongroom(['--help'])).stdout).toContain('Exit codes: 0 done; 1 failed; 2 wrong usage; 3 refused')
  expect((await strongroom(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  for (const { name, options, examples } of commands) {
    const { code, stdout } = await strongroom([name, '--help'])
    expect(code).toBe(0)
    for (const option of options) expect(stdout).toContain(`--${option.name}`)
    for (const { line } of examples) expect(stdout).toContain(line)
  }
})

describe('passwords', () => {
  // In one piece it would look like one that was left here.
  const login = ['me', 'hunter2'].join(':')
  test.each([
    ['health', `postgres://${login}@127.0.0.1:1/app`],
    ['health', `http://${login}@127.0.0.1:1`],
    ['health', `mysql://${login}@127.0.0.1/app`],
    ['health', `http://${login}@`],
    ['health', 'x', `postgres://${login}@127.0.0.1/app`],
    ['import', `postgres://${login}@127.0.0.1/app?password=hunter2`, '--into', 'http://127.0.0.1:1'],
    [`postgres://${login}@127.0.0.1/app`],
  ])('are not printed: %j', async (...args) => {
    const { code, stdout, stderr } = await strongroom([...args, '--json'])
    expect(code).not.toBe(0)
    expect(stdout + stderr).not.toContain('hunter2')
  })
})

test.each([
  ['2026-01-31', '2026-01-31T00:00:00.000Z'],
  ['2026-01-31T12:30', '2026-01-31T12:30:00.000Z'],
  ['2026-01-31 12:30:15', '2026-01-31T12:30:15.000Z'],
  ['2026-01-31T12:30:15.5+02:00', '2026-01-31T10:30:15.500Z'],
])('the instant %s is %s', (text, instant) => {
  expect(readInstant('since', text)?.toISOString()).toBe(instant)
})

test.each(['2026-02-30', '2026-13-01', '2026-01-31T25:00', '26-01-31', '1767225600', '2026-01-31T12:00:00+'])(
  '%s is no instant',
  (text) => {
    expect(() => readInstant('since', text)).toThrow('--since takes')
  },
)

test.each([
  [400, 2, 'bad_request'],
  [401, 1, 'unauthorized'],
  [403, 1, 'forbidden'],
  [409, 3, 'state_conflict'],
  [413, 3, 'payload_too_large'],
  [422, 3, 'validation_failed'],
  [429, 4, 'too_many_requests'],
  [500, 1, 'internal_error'],
  [503, 4, 'storage_busy'],
  [507, 1, 'storage_full'],
])('the status %i is the exit code %i', (status, exitCode, code) => {
  expect(exitCodeOf(new Fault('Because.', { status, code }))).toBe(exitCode)
})

test('problems are read bare and in an envelope', () => {
  const errors = [{ path: 'name', message: 'is missing' }]
  const bare = { detail: 'Not so.', code: 'validation_failed', request_id: 'r-1', errors }
  const wrapped = { success: false, message: 'Not so.', details: { code: 'validation_failed', request_id: 'r-1', errors } }
  for (const body of [bare, wrapped]) {
    expect(readFault(422, JSON.stringify(body), 'http://host')).toMatchObject({
      message: 'Not so.',
      code: 'validation_failed',
      requestId: 'r-1',
      issues: errors,
    })
  }
  expect(readFault(301, '', 'http://host').message).toBe('http://host answered 301, which points elsewhere: say the URL that it points to.')
})
