import type { Breakage } from '../requests/breakage.ts'
import { breakages } from '../requests/breakages.ts'
import { chooseOperation } from '../requests/choice.ts'
import type { Client } from '../requests/client.ts'
import type { Dice } from '../requests/dice.ts'
import type { ApiDocument, Operation } from '../requests/document.ts'
import { type GoodRequest, GoodRequests } from '../requests/good-requests.ts'
import { judge } from '../requests/judge.ts'
import { learn } from '../requests/learn.ts'
import { Pool } from '../requests/pool.ts'
import { type Answer, type Draft, encode } from '../requests/request.ts'
import { Tally } from '../requests/tally.ts'
import { type Prepared, requestOf } from '../requests/wave.ts'
import { AnswerSearch } from './answer-search.ts'
import { AuthRequests, mayAsk, type Preparation } from './auth-requests.ts'
import type { Caller, Callers } from './callers.ts'
import { type Tenant, tenantMarks, tenants } from './marks.ts'

/** What a good request may be refused with that meets what others hold, or sign-ins that were too many. */
const explainedToAble = ['forbidden', 'too_many_requests']

/** What a good request of a caller who may not do it is refused with: a field that they may not read is like one that there is not. */
const explainedToUnwelcome = [...explainedToAble, 'unauthorized', 'invalid_query']

/** What the rate limit says, and the routes below /auth, which have a document of their own. */
const saidHere = ['ratelimit', 'ratelimit-policy', 'x-request-id', 'cache-control', 'www-authenticate']

/** Components of which each record belongs to a tenant. */
const tenanted = ['authors', 'articles']

/** What one tenant's callers, or the operators, know of the database. */
interface Shelf {
  readonly pool: Pool
  readonly good: GoodRequests
}

/** How a request is sent, and what is made of its answer. */
interface Sending {
  readonly preparation?: Preparation | undefined
  readonly breakage?: Breakage
  /** Codes that a good one may be refused with, beside those of every server. */
  readonly explained?: readonly string[]
  readonly learned?: (answer: Answer) => void
}

/** Makes requests of callers of all kinds, good ones, broken ones, and good ones of somebody who may not. */
export class AccessThrower {
  readonly tally: Tally
  readonly search: AnswerSearch
  /** Requests with the id, or a filter, of another tenant. */
  reaches = 0
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
    this.search = new AnswerSearch(this.tally)
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
    const chosen = chooseOperation(this.#document, this.tally, this.#dice, this.#atLeast)
    const { good, refused } = this.tally.count(chosen)
    if (this.#dice.chance(good > refused ? 0.6 : 0.3)) return this.#dice.chance(0.5) ? this.#broken(chosen) : this.#unwelcome(chosen)
    return this.#able(chosen)
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
    return this.#inside(made.draft, caller, { preparation, learned: (answer) => this.#learn(made, caller, pool, answer) })
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
    if (this.#reach(made.draft, caller)) this.reaches += 1
    return this.#inside(made.draft, caller, {
      explained: explainedToUnwelcome,
      learned: (answer) => this.#learn(made, caller, pool, answer),
    })
  }

  #broken(operation: Operation): Prepared {
    const caller = this.#dice.pick(this.#ableTo(operation))
    if (!caller) throw new Error(`nobody may ${operation.name}`)
    const { good, pool } = this.#shelfOf(caller)
    for (;;) {
      const { draft, guesses } = good.make(operation)
      const breakage = this.#dice.pick(breakages)
      const known = pool.keyed(operation.name, this.#dice)
      // A key is that of the caller who used it.
      const keyed = known && Object.entries(caller.headers).every(([name, value]) => known.headers[name] === value) ? known : undefined
      const key = good.keyOf(operation.tag)
      const workshop = { document: this.#document, dice: this.#dice, values: good.values, keyed, guesses, key }
      this.#auth.spoil(draft)
      if (!breakage?.apply(draft, workshop)) continue
      draft.kind = breakage.kind
      this.#identify(draft, caller)
      // What is broken for one may be forbidden, or fit, for another.
      return this.#inside(draft, caller, {
        breakage: { ...breakage, mustBeRefused: operation.tag === 'auth' ? false : breakage.mustBeRefused },
      })
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
    if (draft.operation.tag !== 'users' || draft.operation.path.endsWith('/revert')) return
    for (const record of Array.isArray(draft.body) ? draft.body : [draft.body]) {
      if (typeof record !== 'object' || record === null) continue
      const user = record as Record<string, unknown>
      if ('password' in user && user['password'] !== null) user['password'] = 'a password that is long'
      if (caller.tenant !== undefined && caller.tenant !== '*' && (draft.method === 'POST' || 'tenant' in user))
        user['tenant'] = caller.tenant
    }
  }

  #identify(draft: Draft, { headers, isGood }: Caller): void {
    for (const name of ['authorization', 'x-api-key', 'x-user']) delete draft.headers[name]
    // Who signs out would be nobody afterwards: those who do so have signed in for it.
    if (!isGood || draft.operation.name !== 'POST /auth/logout') Object.assign(draft.headers, headers)
  }

  #inside(draft: Draft, caller: Caller, { preparation, breakage, explained = explainedToAble, learned }: Sending): Prepared {
    return requestOf(draft, this.tally, {
      send: async () => {
        await preparation?.(draft)
        return this.#client.send(draft)
      },
      settle: (answer) => {
        judge(this.#document, draft, breakage, answer, this.tally, explained, saidHere)
        this.search.look(draft, caller, answer)
        if (isRestore(draft, answer)) {
          this.#wasRestored = true
          for (const shelf of this.#shelves.values()) shelf.pool.forgetAll()
        }
        learned?.(answer)
      },
    })
  }

  #learn(made: GoodRequest, caller: Caller, pool: Pool, answer: Answer): void {
    if (!caller.isGood) return
    const { tag } = made.draft.operation
    // What a caller was shown by the ids of others is not theirs to use.
    learn(pool, made, answer, this.#shelfOf(caller).good.keyOf(tag))
    if (answer.status < 300 && tenanted.includes(tag) && caller.tenant !== undefined && caller.tenant !== '*')
      this.search.marks.learn(caller.tenant, answer.body)
  }
}

/** Whether the database has got another content, however the request was meant. */
function isRestore({ operation: { tag, path } }: Draft, { status, body }: Answer): boolean {
  return status < 300 && tag === 'db' && path.includes('/restore') && body.includes('"restored":true')
}
