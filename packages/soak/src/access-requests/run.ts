import type { Breakage } from '../requests/breakage.ts'
import { breakages } from '../requests/breakages.ts'
import { Client, NoAnswer } from '../requests/client.ts'
import { Dice } from '../requests/dice.ts'
import { ApiDocument, type Operation } from '../requests/document.ts'
import { type GoodRequest, GoodRequests } from '../requests/good-requests.ts'
import { judge, tell } from '../requests/judge.ts'
import { learn } from '../requests/learn.ts'
import { Pool } from '../requests/pool.ts'
import { type Answer, type Draft, encode, payloadOf, urlOf } from '../requests/request.ts'
import { noAnswer, type Prepared, throwWave, together } from '../requests/run.ts'
import { Tally } from '../requests/tally.ts'
import type { Target } from '../requests/target.ts'
import { AuthRequests, mayAsk, needsLogin, type Preparation } from './auth-requests.ts'
import { type Caller, Callers } from './callers.ts'
import { Marks, secretIn, type Tenant, tenantMarks, tenants, textOf } from './marks.ts'
import { sow } from './sow.ts'

/** What a good request of a caller who may not do it, or who meets what others hold, is refused with. */
const explainedHere = ['forbidden', 'unauthorized', 'too_many_requests']

/** What the rate limit says, and the routes below /auth, which have a document of their own. */
const saidHere = ['ratelimit', 'ratelimit-policy', 'x-request-id', 'cache-control', 'www-authenticate']

/** Components of which each record belongs to a tenant. */
const tenanted = ['authors', 'articles']

/** Milliseconds for an answer from which on an operation is asked as often as it has to be, and no more. */
const slow = 100

export interface AccessRun {
  readonly tally: Tally
  readonly done: number
  /** Answers to each caller, by status. */
  readonly callers: ReadonlyMap<string, Record<string, number>>
  readonly counts: { readonly crossTenant: number; readonly bytesSearched: number; readonly strangersRefused: number }
  /** Tokens and keys that were handed out. */
  readonly handedOut: readonly string[]
}

export interface AccessRunOptions {
  readonly rounds: number
  readonly seed: number
  readonly atLeast: number
  readonly report: (line: string) => void
}

/** Throws random requests of callers of all kinds at a server, and searches every answer for what is not theirs. */
export async function throwAccessRequests(target: Target, { rounds, seed, atLeast, report }: AccessRunOptions): Promise<AccessRun> {
  const client = new Client(target.url)
  try {
    const callers = new Callers(target.url)
    await callers.prepare()
    const document = new ApiDocument((await (await fetch(`${target.url}/openapi.json`)).json()) as object)
    const thrower = new AccessThrower(document, client, callers, new Dice(seed), atLeast)
    await sow(target.url, callers, thrower.marks)
    let done = 0
    let told = 0
    while (done < rounds) {
      done += await throwWave(thrower, Math.min(together, rounds - done))
      await thrower.settle()
      if (done < ((told + 1) * rounds) / 10) continue
      told += 1
      report(`${done} of ${rounds} requests, ${thrower.tally.faultCount} faults so far`)
    }
    return { tally: thrower.tally, done, callers: thrower.byCaller, counts: thrower.counts, handedOut: callers.handedOut }
  } finally {
    client.close()
  }
}

/** What one tenant's callers, or the operators, know of the database. */
interface Shelf {
  readonly pool: Pool
  readonly good: GoodRequests
}

class AccessThrower {
  readonly tally: Tally
  readonly marks = new Marks()
  readonly byCaller = new Map<string, Record<string, number>>()
  readonly counts = { crossTenant: 0, bytesSearched: 0, strangersRefused: 0 }
  readonly #document: ApiDocument
  readonly #client: Client
  readonly #callers: Callers
  readonly #dice: Dice
  readonly #atLeast: number
  readonly #auth: AuthRequests
  readonly #shelves: ReadonlyMap<Tenant | '*', Shelf>
  #wasRestored = false

  constructor(document: ApiDocument, client: Client, callers: Callers, dice: Dice, atLeast: number) {
    this.#document = document
    this.#client = client
    this.#callers = callers
    this.#dice = dice
    this.#atLeast = atLeast
    this.tally = new Tally(document.operations)
    this.#auth = new AuthRequests(callers, dice)
    const shelf = (tenant: Tenant | '*'): [Tenant | '*', Shelf] => {
      const pool = new Pool()
      return [tenant, { pool, good: new GoodRequests(document, pool, dice, tenant === '*' ? undefined : tenantMarks[tenant]) }]
    }
    this.#shelves = new Map([...tenants.map(shelf), shelf('*')])
  }

  /** After a restore everybody signs in again. */
  async settle(): Promise<void> {
    if (!this.#wasRestored) return
    this.#wasRestored = false
    await this.#callers.prepare()
  }

  prepare(): Prepared {
    const chosen = this.#choose()
    const { good, refused } = this.tally.count(chosen)
    if (this.#dice.chance(good > refused ? 0.6 : 0.3)) return this.#dice.chance(0.5) ? this.#broken(chosen) : this.#unwelcome(chosen)
    return this.#able(chosen)
  }

  #choose(): Operation {
    const few = Array.from({ length: 4 }, () => this.#dice.pick(this.#document.operations)).filter((one) => one !== undefined)
    const [least] = few.sort((a, b) => this.#share(a) - this.#share(b))
    if (!least) throw new Error('The document has no operations')
    return least
  }

  #share(operation: Operation): number {
    const { good, refused, slowness } = this.tally.count(operation)
    const least = Math.min(good, refused)
    return slowness > slow && least > this.#atLeast ? Number.POSITIVE_INFINITY : least
  }

  /** A good request of somebody who may make it. */
  #able(operation: Operation): Prepared {
    const caller = this.#dice.pick(this.#ableTo(operation))
    if (!caller) throw new Error(`nobody may ${operation.name}`)
    const { good, pool } = this.#shelfOf(caller)
    // What is needed below /auth is made when it is sent.
    const first = operation.tag === 'auth' ? operation : good.first(operation)
    const isAble = this.#ableTo(first).includes(caller)
    const made = good.make(isAble ? first : operation)
    this.#fit(made.draft, caller)
    const preparation = this.#auth.complete(made.draft)
    return this.#inside(made.draft, caller, undefined, { preparation, learned: (answer) => this.#learn(made, caller, pool, answer) })
  }

  /** A good request of somebody who is nobody, may not do that, or reaches for what is another tenant's. */
  #unwelcome(operation: Operation): Prepared {
    const caller = this.#dice.pick(this.#dice.chance(0.5) ? this.#callers.bad : this.#callers.all.filter(({ role }) => role !== 'operator'))
    if (!caller) throw new Error('There are no callers')
    const { good, pool } = this.#shelfOf(caller)
    const made = good.make(operation)
    this.#fit(made.draft, caller)
    this.#auth.spoil(made.draft)
    // Requests that were good for others, and what they are about.
    if (this.#reach(made.draft, caller)) this.counts.crossTenant += 1
    return this.#inside(made.draft, caller, undefined, { learned: (answer) => this.#learn(made, caller, pool, answer) })
  }

  #broken(operation: Operation): Prepared {
    const caller = this.#dice.pick(this.#ableTo(operation))
    if (!caller) throw new Error(`nobody may ${operation.name}`)
    const { good, pool } = this.#shelfOf(caller)
    for (;;) {
      const { draft, guesses } = good.make(operation)
      const breakage = this.#dice.pick(breakages)
      const keyed = pool.keyed(operation.name, this.#dice)
      const key = good.keyOf(operation.tag)
      const workshop = { document: this.#document, dice: this.#dice, values: good.values, keyed, guesses, key }
      this.#auth.spoil(draft)
      if (!breakage?.apply(draft, workshop)) continue
      draft.kind = breakage.kind
      this.#identify(draft, caller)
      // What is broken for one may be forbidden, or fit, for another.
      return this.#inside(draft, caller, { ...breakage, mustBeRefused: operation.tag === 'auth' ? false : breakage.mustBeRefused }, {})
    }
  }

  /** Puts another tenant's id in the path, or another tenant's words into the query. Answers whether it did. */
  #reach(draft: Draft, caller: Caller): boolean {
    const strange = this.#dice.pick(tenants.filter((tenant) => tenant !== caller.tenant))
    if (strange === undefined) return false
    const { tag, path } = draft.operation
    const pool = this.#shelves.get(strange)?.pool
    const id = path.includes('{id}') ? pool?.liveId(tag, this.#dice) : undefined
    if (id !== undefined) draft.path = path.replace(/\{\w+\}/, () => encode(id))
    const text = tenantMarks[strange].text
    const isList =
      draft.method === 'GET' && draft.operation.parameters.some(({ name }) => name === 'house[contains]' || name === 'email[contains]')
    if (isList && this.#dice.chance(0.5)) {
      const field = tag === 'authors' ? 'email' : 'house'
      draft.query = [[`${field}[contains]`, this.#dice.chance(0.5) ? text : strange]]
      delete draft.rawQuery
      return true
    }
    return id !== undefined
  }

  /** Who the rules let do it. */
  #ableTo({ tag, method, name }: Operation): readonly Caller[] {
    const { good } = this.#callers
    const all = (role: Parameters<Callers['good']>[0]): readonly Caller[] => good.call(this.#callers, role)
    if (tenanted.includes(tag) || tag === 'batch') return all('editor')
    if (tag === 'countries') return method === 'GET' ? [...all('editor'), ...all('operator')] : all('operator')
    if (tag === 'users') return all('admin')
    if (tag === 'auth') return [...all('editor'), ...all('reader')].filter((caller) => mayAsk(caller, name))
    return all('operator')
  }

  #shelfOf({ tenant }: Caller): Shelf {
    const shelf = this.#shelves.get(tenant ?? 'red')
    if (!shelf) throw new Error('a caller of a tenant that there is not')
    return shelf
  }

  /** Makes a good request one that this caller may make: a user has a password and the caller's tenant. */
  #fit(draft: Draft, caller: Caller): void {
    this.#identify(draft, caller)
    if (draft.operation.tag !== 'users') return
    for (const record of Array.isArray(draft.body) ? draft.body : [draft.body]) {
      if (typeof record !== 'object' || record === null) continue
      const user = record as Record<string, unknown>
      if ('password' in user && user['password'] !== null) user['password'] = 'a password that is long'
      if (caller.tenant !== undefined && caller.tenant !== '*' && (draft.method === 'POST' || 'tenant' in user))
        user['tenant'] = caller.tenant
    }
  }

  #identify(draft: Draft, { headers }: Caller): void {
    for (const name of ['authorization', 'x-api-key', 'x-user']) delete draft.headers[name]
    Object.assign(draft.headers, headers)
  }

  #inside(
    draft: Draft,
    caller: Caller,
    breakage: Breakage | undefined,
    { preparation, learned }: { readonly preparation?: Preparation | undefined; readonly learned?: (answer: Answer) => void },
  ): Prepared {
    return {
      alone: draft.operation.tag === 'db' && draft.method !== 'GET',
      send: async () => {
        await preparation?.(draft)
        return this.#client.send(draft).catch(noAnswer)
      },
      settle: (outcome) => {
        if (outcome === undefined || outcome instanceof NoAnswer) {
          this.tally.fault(`no answer at ${draft.operation.name}`, `${outcome?.message ?? ''} ${tell(draft)}`)
          return
        }
        judge(this.#document, draft, breakage, outcome, this.tally, explainedHere, saidHere)
        this.#look(draft, caller, outcome)
        learned?.(outcome)
      },
    }
  }

  #learn(made: GoodRequest, caller: Caller, pool: Pool, answer: Answer): void {
    if (!caller.isGood) return
    const { tag, path } = made.draft.operation
    if (answer.status < 300 && tag === 'db' && path.includes('/restore') && !isDry(made.draft)) {
      this.#wasRestored = true
      for (const shelf of this.#shelves.values()) shelf.pool.forgetAll()
    }
    // What a caller was shown by the ids of others is not theirs to use.
    learn(pool, made, answer, this.#shelfOf(caller).good.keyOf(tag))
    if (answer.status < 300 && tenanted.includes(tag) && caller.tenant !== undefined && caller.tenant !== '*')
      this.marks.learn(caller.tenant, answer.body)
  }

  /** Searches an answer for what is not for the caller. */
  #look(draft: Draft, caller: Caller, answer: Answer): void {
    const { title, tenant, isGood } = caller
    const { operation } = draft
    const statuses = this.byCaller.get(title) ?? {}
    this.byCaller.set(title, statuses)
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
    const isGuarded =
      operation.path !== '/db/health' &&
      operation.tag !== '' &&
      operation.tag !== 'system' &&
      (operation.tag !== 'auth' || needsLogin(operation.name))
    if (!isGood && isGuarded) {
      // What reaches the server with a good login of its own is somebody else's request.
      const isIdentified = Object.entries(caller.headers).every(([name, value]) => draft.headers[name] === value)
      if (answer.status < 300 && isIdentified) this.tally.fault(`${title} was let in`, `${tell(draft)} → ${answer.status}`)
      if (answer.status === 401) this.counts.strangersRefused += 1
    }
    const text = `${JSON.stringify(answer.headers)}\n${textOf(answer.body, answer.file)}`
    const sent = `${decodeURIComponentSafely(urlOf(draft))}\n${JSON.stringify(draft.headers)}\n${payloadOf(draft)?.toString() ?? ''}`
    this.counts.bytesSearched += text.length
    // A backup is the whole database, as operators have asked for it.
    const isBackup =
      operation.path === '/db/backup.sqlite' || draft.query.some(([name, value]) => name === 'secrets' && value === 'include')
    const secret = isBackup && tenant === '*' ? undefined : secretIn(text, sent)
    if (secret !== undefined) this.tally.fault(`a secret in an answer at ${operation.name}`, `${secret} to ${title}, ${tell(draft)}`)
    if (tenant === '*') return
    const strange = this.marks.strange(text, tenant, sent)
    if (strange !== undefined) this.tally.fault(`another tenant's bytes at ${operation.name}`, `${strange} to ${title}, ${tell(draft)}`)
  }
}

function isDry({ query }: Draft): boolean {
  return query.some(([name, value]) => name === 'dry_run' && value === 'true')
}

function decodeURIComponentSafely(text: string): string {
  try {
    return `${text}\n${decodeURIComponent(text.replaceAll('+', ' '))}`
  } catch {
    return text
  }
}
