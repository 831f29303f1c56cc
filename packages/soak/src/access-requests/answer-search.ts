import type { Operation } from '../requests/document.ts'
import { tell } from '../requests/judge.ts'
import { type Answer, type Draft, payloadOf, urlOf } from '../requests/request.ts'
import type { Tally } from '../requests/tally.ts'
import { needsLogin } from './auth-requests.ts'
import type { Caller } from './callers.ts'
import { Marks, secretIn, textOf } from './marks.ts'

/** Searches answers for what is not for whoever gets them, and counts who was answered how. */
export class AnswerSearch {
  readonly marks = new Marks()
  /** Answers to each caller, by status. */
  readonly byCaller = new Map<string, Record<string, number>>()
  bytesSearched = 0
  strangersRefused = 0
  readonly #tally: Tally

  constructor(tally: Tally) {
    this.#tally = tally
  }

  /** Searches an answer for what is not for the caller. */
  look(draft: Draft, caller: Caller, answer: Answer): void {
    const { title, tenant, isGood } = caller
    const { operation } = draft
    const statuses = this.byCaller.get(title) ?? {}
    this.byCaller.set(title, statuses)
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
    if (!isGood && isGuarded(operation)) {
      // What reaches the server with a good login of its own is somebody else's request.
      const isIdentified = Object.entries(caller.headers).every(([name, value]) => draft.headers[name] === value)
      if (answer.status < 400 && isIdentified) this.#tally.fault(`${title} was let in`, `${tell(draft)} → ${answer.status}`)
      if (answer.status === 401) this.strangersRefused += 1
    }
    const text = `${JSON.stringify(answer.headers)}\n${textOf(answer.body, answer.file)}`
    const sent = `${decodeURIComponentSafely(urlOf(draft))}\n${JSON.stringify(draft.headers)}\n${payloadOf(draft)?.toString() ?? ''}`
    this.bytesSearched += text.length
    // A backup is the whole database, as operators have asked for it.
    const isBackup =
      operation.path === '/db/backup.sqlite' || draft.query.some(([name, value]) => name === 'secrets' && value === 'include')
    const secret = isBackup && tenant === '*' ? undefined : secretIn(text, sent)
    if (secret !== undefined) this.#tally.fault(`a secret in an answer at ${operation.name}`, `${secret} to ${title}, ${tell(draft)}`)
    if (tenant === '*') return
    const strange = this.marks.strange(text, tenant, sent)
    if (strange !== undefined) this.#tally.fault(`another tenant's bytes at ${operation.name}`, `${strange} to ${title}, ${tell(draft)}`)
  }
}

/** Whether nobody may ask it who has not shown who they are. */
function isGuarded({ path, tag, name }: Operation): boolean {
  return path !== '/db/health' && tag !== '' && tag !== 'system' && (tag !== 'auth' || needsLogin(name))
}

function decodeURIComponentSafely(text: string): string {
  try {
    return `${text}\n${decodeURIComponent(text.replaceAll('+', ' '))}`
  } catch {
    return text
  }
}
