import { setTimeout as pause } from 'node:timers/promises'
import { bootstrap } from '@strongroom/fastify'
import Fastify, { type FastifyInstance } from 'fastify'
import { type Component, components, counted, idNames, included, makeAccessors, references } from './models.ts'
import type { Question } from './question.ts'

/** What a side answers, in words that both sides share. */
export interface SharedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: unknown
}

/** Members of answers that are each side's own: times, random versions, places in the log. */
const own = new Set([
  'created_at',
  'updated_at',
  'deleted_at',
  'timestamp',
  'transaction_id',
  'epoch',
  'position',
  'sealed',
  'hash',
  'etag',
  'next',
  'entry_id',
  'instance',
  'row_version',
])

/** Few enough to be met. */
const mostRecords = 150

/** One engine's server, and what its records are called there. */
export class Side {
  readonly #app: FastifyInstance
  readonly #ids: Readonly<Record<Component, string[]>> = { authors: [], countries: [], articles: [], comments: [], labels: [] }
  readonly #moments: string[] = []
  readonly #entries: number[] = []
  readonly #places: string[] = ['start']
  #pages = new Map<string, string>()

  private constructor(app: FastifyInstance) {
    this.#app = app
  }

  static async open(url: string): Promise<Side> {
    const app = Fastify({ routerOptions: { maxParamLength: 510 } })
    await bootstrap(app, {
      accessors: makeAccessors(),
      databaseUrl: url,
      auth: false,
      operators: 'loopback',
      maxRecordsPerModel: mostRecords,
    })
    const side = new Side(app)
    await side.note()
    return side
  }

  close(): Promise<void> {
    return this.#app.close()
  }

  /** Keeps this moment, with nothing else in its millisecond. */
  async note(): Promise<void> {
    await pause(2)
    this.#moments.push(new Date().toISOString())
    await pause(2)
  }

  async ask(question: Question): Promise<SharedAnswer> {
    const { method, headers = {}, body, component } = question
    if (question.sealed) await this.#app.storage.audit.waitUntilSealed()
    const json = typeof body !== 'string'
    const payload = body === undefined ? undefined : json ? JSON.stringify(this.#inBody(body)) : this.#inText(body, (text) => text)
    const answer = await this.#app.inject({
      method,
      url: this.#urlOf(question.url),
      headers: { ...(payload !== undefined && json && { 'content-type': 'application/json' }), ...headers },
      ...(payload !== undefined && { payload }),
    })
    const isJson = String(answer.headers['content-type']).includes('json')
    const told: unknown = isJson ? JSON.parse(answer.body) : answer.body
    // What a dry run made is not there, and on one engine its id comes again.
    if (!question.url.includes('dry_run=true')) this.#learn(told, component)
    const shown = ['x-total-count', 'content-range', 'content-type', 'idempotent-replayed'].map((name) => [
      name,
      answer.headers[name] ?? null,
    ])
    const there = ['etag', 'location'].map((name) => [name, name in answer.headers])
    const links = [...String(answer.headers.link ?? '').matchAll(/<([^>]*)>; rel="?(\w+)"?/g)]
    if (links.length > 0) this.#pages = new Map(links.map(([, link = '', rel = '']) => [rel, link]))
    return {
      status: answer.statusCode,
      headers: { ...Object.fromEntries([...shown, ...there]), link: links.map(([, , rel]) => rel) },
      body: this.#leaveOpen(this.#shared(told, component)),
    }
  }

  #urlOf(text: string): string {
    const [, page] = /^\{(next|prev|first|last):0\}$/.exec(text) ?? []
    return page === undefined ? this.#inText(text, encodeURIComponent) : (this.#pages.get(page) ?? '/health')
  }

  #inText(text: string, encode: (text: string) => string): string {
    return text.replace(/(?:\{|%7B)(\w+)(?::|%3A)(\d+)(?:\}|%7D)/g, (_, name: string, at: string) =>
      encode(String(this.#resolve(name, Number(at)))),
    )
  }

  #inBody(value: unknown): unknown {
    if (typeof value === 'string') {
      const [, name, at] = /^\{(\w+):(\d+)\}$/.exec(value) ?? []
      return name === undefined ? value : this.#resolve(name, Number(at))
    }
    if (Array.isArray(value)) return value.map((item) => this.#inBody(item))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, this.#inBody(item)]))
  }

  #resolve(name: string, at: number): unknown {
    const known: readonly unknown[] =
      name === 'moment' ? this.#moments : name === 'entry' ? this.#entries : name === 'place' ? this.#places : this.#ids[name as Component]
    const found = known[at % Math.max(1, known.length)]
    if (found === undefined)
      return name === 'entry' || name === 'authors' || name === 'comments' ? 999_999 : '00000000-0000-7000-8000-00000000000f'
    return name === 'authors' || name === 'comments' ? Number(found) : found
  }

  /** The ids of records that were not there before. */
  #learn(told: unknown, component: Component | undefined): void {
    walk(told, component, (record, of) => {
      const id = record[idNames[of]]
      if (id !== undefined && id !== null && !this.#ids[of].includes(String(id))) this.#ids[of].push(String(id))
    })
    if (isObject(told) && typeof told['next'] === 'string') this.#places.push(told['next'])
    if (!Array.isArray(told)) return
    for (const entry of told) {
      if (
        isObject(entry) &&
        typeof entry['operation'] === 'string' &&
        typeof entry['id'] === 'number' &&
        !this.#entries.includes(entry['id'])
      )
        this.#entries.push(entry['id'])
    }
  }

  #shared(value: unknown, component: Component | undefined, key = ''): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#shared(item, component))
    if (isObject(value)) {
      const of = componentOf(value) ?? component
      const names = Object.keys(value)
      const entry = 'operation' in value && 'before' in value
      return Object.fromEntries(
        names.map((name) => {
          const item = value[name]
          if (own.has(name)) return [name, item === null && name === 'deleted_at' ? null : 'own']
          if (typeof value['field'] === 'string' && (name === 'from' || name === 'to'))
            return [name, this.#changed(value['field'], item, component)]
          if (name === 'path' && typeof item === 'string') return [name, this.#path(item)]
          if (name === 'id' && entry) return [name, 'own']
          if (name === 'request_id' && typeof item === 'string' && !/^r\d+$/.test(item)) return [name, 'own']
          if ((name === 'record_id' || (of !== undefined && name === idNames[of])) && of) return [name, this.#label(of, item)]
          const target = references[name]
          if (target) return [name, this.#label(target, item)]
          // Which comes first is left open.
          if ((name === 'conflicts' || name === 'errors') && Array.isArray(item))
            return [name, item.map((one) => JSON.stringify(this.#shared(one, of))).toSorted()]
          const within = of && included[of][name]
          return [name, this.#shared(item, within ?? of, name)]
        }),
      )
    }
    if (typeof value === 'string' && (key === 'detail' || key === 'message')) return this.#sentence(value)
    return value
  }

  #label(component: Component, id: unknown): unknown {
    if (id === null || !counted.includes(component)) return id
    const at = this.#ids[component].indexOf(String(id))
    return at < 0 ? `${component}: unknown` : `${component}:${at}`
  }

  /** Of several records of a request that collide each engine names the one that it comes to first. */
  #leaveOpen(body: unknown): unknown {
    return isObject(body) && body['code'] === 'unique_conflict' ? { code: body['code'], operation: body['operation'] } : body
  }

  #changed(field: string, value: unknown, component: Component | undefined): unknown {
    const shared = this.#shared({ [field]: value }, component)
    return isObject(shared) ? shared[field] : shared
  }

  #path(text: string): unknown {
    const [name, id = ''] = text.split('/')
    const component = components.find((known) => known === name)
    return component ? this.#label(component, id) : text
  }

  #sentence(text: string): string {
    return text
      .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/gi, '#')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'T')
      .replaceAll(/\d+/g, '#')
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Whose record it is, where that can be seen. */
function componentOf(record: Record<string, unknown>): Component | undefined {
  const named = components.find((component) => component === record['component'])
  if (named) return named
  if ('level' in record && 'email' in record) return 'authors'
  if ('words' in record && 'title' in record) return 'articles'
  if ('article_id' in record && 'text' in record) return 'comments'
  if ('shelf' in record && 'colour' in record) return 'labels'
  if ('code' in record && 'limit' in record) return 'countries'
  return undefined
}

function walk(
  value: unknown,
  component: Component | undefined,
  visit: (record: Record<string, unknown>, component: Component) => void,
): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, component, visit)
    return
  }
  if (!isObject(value)) return
  const of = componentOf(value) ?? component
  const entry = 'operation' in value && 'before' in value
  if (of && !entry && !('detail' in value) && !('errors' in value)) visit(value, of)
  for (const item of Object.values(value)) if (isObject(item)) walk(item, of && undefined, visit)
}
