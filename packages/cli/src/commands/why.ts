import type { Given } from '../arguments/option.ts'
import { readRequest } from '../arguments/record-request.ts'
import { accessors, header } from '../arguments/shared-options.ts'
import { exitCodes } from '../exit-codes.ts'
import { WrongUse } from '../faults.ts'
import { asRecord } from '../http/read-fault.ts'
import { printable } from '../output/printable.ts'
import type { AccessQuestion, Caller, Document } from '../target/target.ts'
import type { Command } from './command.ts'
import { withTarget } from './with-target.ts'

export const why: Command = {
  name: 'why',
  usage: 'METHOD PATH [TARGET]',
  summary: 'Tells which rule lets a caller do something, or keeps it from it',
  about: `The rules of access are asked what they say of a request of a record route; nothing is done or written. Exit code 0 says that it is
allowed, 5 that it is not. The rules know of a caller what is said here and nothing else: an id alone has no roles and no tenant, also where the
server has users of @strongroom/auth, so say them with --role and --tenant. Without --as it is a caller whom nobody knows. PATH is below the
server's prefix. A database needs --accessors: a module that exports the accessors, and the rules that defineAccess made.`,
  options: [
    { name: 'as', value: 'USER', help: `The caller's id: a whole number is a number, anything else text, and so is '"7"'` },
    { name: 'role', value: 'NAME', repeated: true, help: 'A role of the caller; may be given more than once' },
    { name: 'scope', value: 'NAME', repeated: true, help: 'A scope that its token or key was narrowed to; may be given more than once' },
    { name: 'tenant', value: 'NAME', help: "The caller's tenant; * for one who works for all of them" },
    accessors,
    header,
  ],
  examples: [
    { line: 'strongroom why PATCH /tasks/7 http://127.0.0.1:3000 --as 7 --role member', why: 'may user 7 change this task, and why' },
    {
      line: 'strongroom why GET /tasks ./app.db --accessors ./models.ts --as 7 --tenant red',
      why: 'without a server, by the rules of a module',
    },
    { line: 'strongroom why DELETE /tasks/7?purge=true --as 7 --role admin --json | jq .rule', why: 'of STRONGROOM_URL, for a script' },
  ],
  positionals: 3,
  async run(job) {
    const { given } = job
    const [method, path, target] = given.positionals
    if (method === undefined || path === undefined) throw new WrongUse('Say which request: strongroom why PATCH /tasks/7 TARGET --as 7.')
    const question: AccessQuestion = { ...readRequest(method, path), principal: readCaller(given) }
    const answer = await withTarget(job, target, (opened, watch) => opened.explainAccess(question, watch))
    const isAllowed = answer['allowed'] === true
    await job.answer(answer, inWords(question, answer), { wrong: !isAllowed })
    return isAllowed ? exitCodes.done : exitCodes.denied
  },
}

/** The role that servers give to callers who name nobody. */
const stranger: Pick<Caller, 'id' | 'roles'> = { id: null, roles: ['anonymous'] }

function readCaller(given: Given): Caller {
  const id = given.text('as')
  const scopes = given.has('scope') ? given.all('scope') : undefined
  const tenant = given.text('tenant')
  if (id === undefined && given.has('role')) throw new WrongUse('Whom nobody knows has no roles: say who it is with --as.')
  const who = id === undefined ? stranger : { id: readId(id), roles: given.all('role') }
  return { ...who, ...(scopes && { scopes }), ...(tenant !== undefined && { tenant }) }
}

function readId(text: string): number | string {
  const number = /^(?:0|[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(number) ? number : (/^"(.*)"$/.exec(text)?.[1] ?? text)
}

function inWords({ component, operation, id, principal }: AccessQuestion, answer: Document): string {
  const { hidden, locked } = asRecord(answer['fields'])
  const caller = [
    principal.id === null ? 'nobody knows' : String(principal.id),
    ...principal.roles.map((role) => `role ${role}`),
    ...(principal.scopes ?? []).map((scope) => `scope ${scope}`),
    ...(principal.tenant === undefined ? [] : [`tenant ${principal.tenant}`]),
  ]
  const told: readonly (readonly [string, string])[] = [
    ['answer', answer['allowed'] === true ? 'allowed' : 'not allowed'],
    ['question', `${operation} ${component}${id === undefined ? '' : `/${id}`}`],
    ['caller', caller.join(', ')],
    ['rule', String(answer['rule'])],
    ['reason', String(answer['reason'])],
    ['cannot see', names(hidden)],
    ['cannot set', names(locked)],
  ]
  return told.flatMap(([name, value]) => (value === '' ? [] : [`${name.padEnd(12)}${printable(value)}\n`])).join('')
}

function names(fields: unknown): string {
  return Array.isArray(fields) ? fields.map(String).join(', ') : ''
}
