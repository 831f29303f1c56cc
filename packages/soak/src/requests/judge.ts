import { checkAnswer } from '@strongroom/testkit/openapi-checker'
import type { Breakage } from './breakage.ts'
import type { ApiDocument } from './document.ts'
import { type Answer, type Draft, payloadOf, urlOf } from './request.ts'
import type { Tally } from './tally.ts'

/** What a whole server says to browsers with every answer, whatever the API's document describes. */
const edgeHeaders = [
  'content-security-policy',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'origin-agent-cluster',
  'referrer-policy',
  'strict-transport-security',
  'x-content-type-options',
  'x-dns-prefetch-control',
  'x-download-options',
  'x-frame-options',
  'x-permitted-cross-domain-policies',
  'x-xss-protection',
]

/** Codes with which a good request may be refused: what it meets is stored, or is said by a rule that no schema can say. */
const explained = new Set([
  'not_found',
  'unique_conflict',
  'reference_conflict',
  'state_conflict',
  'record_limit',
  'precondition_failed',
  'too_many_matches',
  'validation_failed',
])

interface Problem {
  readonly code?: unknown
  readonly detail?: unknown
  readonly errors?: unknown
}

/** Holds an answer to a request of an operation against the document, and against what was done to the request. */
export function judge(
  document: ApiDocument,
  draft: Draft,
  breakage: Breakage | undefined,
  answer: Answer,
  tally: Tally,
  /** Further codes with which a good request may be refused. */
  alsoExplained: readonly string[] = [],
  /** Further headers that a server with a login or a limit says with its answers. */
  alsoSaid: readonly string[] = [],
): void {
  const { operation } = draft
  const { status } = answer
  const told = `${tell(draft)} → ${status} ${answer.body.slice(0, 300)}`
  tally.answered(operation, status, answer.duration)
  // One verification runs at a time, and others are asked to come again.
  const waits = operation.path === '/db/audit/verify' && read(answer.body).code === 'server_busy'
  if (status >= 500 && !waits) tally.fault(`5xx at ${operation.name}`, told)
  for (const fault of checkAnswer(document.raw, { ...observed(answer), method: operation.method, path: operation.path }, [
    ...edgeHeaders,
    ...alsoSaid,
  ])) {
    tally.fault(fault.slice(0, 120), `${fault} (${tell(draft)})`)
  }
  const refused = status >= 400
  tally.sent(breakage?.kind ?? 'nothing', refused)
  if (breakage) {
    const must = typeof breakage.mustBeRefused === 'boolean' ? breakage.mustBeRefused : breakage.mustBeRefused(draft)
    if (must && !refused) tally.fault(`taken although it has ${breakage.kind}, at ${operation.name}`, told)
  } else if (refused) judgeRefusal(draft, read(answer.body), told, tally, alsoExplained)
}

function judgeRefusal(draft: Draft, problem: Problem, told: string, tally: Tally, alsoExplained: readonly string[]): void {
  const code = String(problem.code)
  tally.refusedGood.set(code, (tally.refusedGood.get(code) ?? 0) + 1)
  // How large a sum is depends on what is stored.
  const isSum = code === 'invalid_query' && String(problem.detail).includes('too large for a number')
  // Whether an instant has passed is known to the clock, and the document cannot say that one parameter shuts
  // out another, nor of which form the ids within `and` and `or` are, which are one text there.
  const isBeyondDocument =
    code === 'invalid_query' &&
    /still to come|Nothing is read along with records of the past|The value of id must be a UUID/.test(String(problem.detail))
  // Some requests delete a record for good, with its history.
  const isErased = code === 'gone' && /^The history of .* was erased\.$/s.test(String(problem.detail))
  const hasReason =
    (explained.has(code) || isErased || alsoExplained.includes(code) || isSum || isBeyondDocument || code === 'server_busy') &&
    typeof problem.detail === 'string' &&
    problem.detail !== ''
  const namesFields = code !== 'validation_failed' || (Array.isArray(problem.errors) && problem.errors.length > 0)
  if (!hasReason || !namesFields) tally.fault(`refused a good request with ${code} at ${draft.operation.name}`, told)
}

/** Holds an answer to a request that belongs to no operation: it is refused, with a problem that says why. */
export function judgeOutside(kind: string, told: string, status: number, body: string, tally: Tally): void {
  const answered = `${kind}: ${status}`
  tally.outside.set(answered, (tally.outside.get(answered) ?? 0) + 1)
  tally.sent(kind, status >= 400)
  if (status >= 500 || status < 400) tally.fault(`${status} to ${kind}`, `${told} ${body.slice(0, 300)}`)
  const { code, detail } = read(body)
  // Node answers that one itself, before anybody else hears of it, with an empty body.
  if (kind === 'no Host') return
  if (typeof code !== 'string' || typeof detail !== 'string')
    tally.fault(`no problem to ${kind}`, `${told} → ${status} ${body.slice(0, 300)}`)
}

function observed({ status, headers, body }: Answer): Answer {
  return { status, headers, body, duration: 0 }
}

function read(text: string): Problem {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

/** A request in a line. */
export function tell(draft: Draft): string {
  const payload = payloadOf(draft)
  const body = payload === undefined ? '' : ` ${payload.toString().slice(0, 400)}`
  return `${draft.kind ?? 'good'}: ${draft.method} ${urlOf(draft).slice(0, 300)} ${JSON.stringify(draft.headers).slice(0, 300)}${body}`
}
