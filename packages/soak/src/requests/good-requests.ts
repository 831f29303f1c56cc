import type { Dice } from './dice.ts'
import { type ApiDocument, allows, type Operation, type Parameter, type Schema } from './document.ts'
import { filesOf, isFileBody, setFile } from './file-bodies.ts'
import type { Pool } from './pool.ts'
import { QueryMaker } from './queries.ts'
import { copyOf, type Draft, encode } from './request.ts'
import { ValueMaker, type ValueMark } from './values.ts'

/** A value that was taken for a reference to a record of another component, which the answer shows to be right or wrong. */
export interface Guess {
  readonly tag: string
  readonly field: string
  readonly source: string
  readonly id: string
  /** Where it stands in the body, as a problem names it. */
  readonly place: string
}

const csv = 'text/csv'

/** With fewer records than these, more are made before they are changed and deleted. */
const fewRecords = 5

/** A request that should be done, and what was guessed for it. */
export interface GoodRequest {
  readonly draft: Draft
  /** The id in its path. */
  readonly id?: string | undefined
  readonly guesses: readonly Guess[]
}

/** Makes requests that fit the document, with ids, entity tags and cursors that earlier answers gave. */
export class GoodRequests {
  readonly values: ValueMaker
  readonly queries: QueryMaker
  readonly #document: ApiDocument
  readonly #pool: Pool
  readonly #dice: Dice
  #guesses: Guess[] = []
  #keys = 0

  constructor(document: ApiDocument, pool: Pool, dice: Dice, mark?: ValueMark) {
    this.#document = document
    this.#pool = pool
    this.#dice = dice
    this.values = new ValueMaker(document, dice, mark)
    this.queries = new QueryMaker(document, pool, dice, this.values)
  }

  make(operation: Operation): GoodRequest {
    this.#guesses = []
    const again = this.#dice.chance(0.03) ? this.#pool.keyed(operation.name, this.#dice) : undefined
    if (again) return { draft: copyOf(again), guesses: [] }
    const id = this.#idFor(operation)
    const draft: Draft = {
      operation,
      method: operation.method,
      path: id === undefined ? operation.path : operation.path.replace(/\{\w+\}/, () => encode(id)),
      query: [],
      headers: this.#headers(operation, id),
    }
    const link = this.#dice.chance(0.15) ? this.#pool.link(operation.name, this.#dice) : undefined
    if (link !== undefined) draft.rawQuery = link
    else draft.query = this.queries.make(operation)
    // A table in CSV needs that table's columns: the walk over all operations sends one.
    const body = this.#dice.pick(operation.bodies.filter(({ mediaType }) => mediaType !== csv))
    if (operation.bodies.some(({ mediaType }) => mediaType === csv)) draft.query = draft.query.filter(([name]) => name !== 'table')
    if (body && isFileBody(body)) setFile(draft, body, this.#document, this.#pool)
    else if (body) {
      draft.headers['content-type'] = body.mediaType
      draft.body = this.#body(operation, body.schema, id)
    }
    return { draft, id, guesses: this.#guesses }
  }

  /** The operation, or the one that makes what it works on: records, what those refer to, or a file. */
  first(operation: Operation): Operation {
    const { operations } = this.#document
    const [file] = filesOf(operation, this.#document).filter((type) => this.#pool.file(type) === undefined)
    if (file !== undefined) return operations.find((one) => one.answerTypes.includes(file)) ?? operation
    let first = operation
    for (let steps = 0; steps < 3; steps++) {
      const lacking = this.#lacking(first)
      const maker = operations.find((one) => one.tag === lacking && one.method === 'POST' && !one.path.includes('{'))
      if (!maker) return first
      first = maker
    }
    return first
  }

  /** A component of which there have to be more records before this operation has something to work on. */
  #lacking({ path, tag, bodies, method }: Operation): string | undefined {
    if (path.includes('{') && this.#pool.liveCount(tag) < fewRecords) return tag
    if (method !== 'POST' && method !== 'PUT') return undefined
    const fields = bodies.flatMap(({ schema }) => this.#document.forms(schema)).flatMap(({ properties = {} }) => Object.entries(properties))
    const sources = fields.flatMap(([field, schema]) => this.#pool.source(tag, field, this.#referenced(field, schema), this.#dice) ?? [])
    return sources.find((source) => source !== tag && this.#pool.liveCount(source) < fewRecords)
  }

  /** An id that is there, or for PUT one that may be. */
  #idFor({ path, method, tag, parameters }: Operation): string | undefined {
    const parameter = parameters.find((candidate) => candidate.in === 'path')
    if (!parameter || !path.includes('{')) return undefined
    const deleted = path.endsWith('/restore') && this.#dice.chance(0.7) ? this.#pool.deletedId(tag, this.#dice) : undefined
    const known = deleted ?? this.#pool.liveId(tag, this.#dice)
    if (known !== undefined && !(method === 'PUT' && this.#dice.chance(0.2))) return known
    return String(this.values.value(parameter.schema))
  }

  #headers({ parameters, tag, method, answerTypes }: Operation, id: string | undefined): Record<string, string> {
    const headers: Record<string, string> = {}
    for (const parameter of parameters.filter((candidate) => candidate.in === 'header')) {
      if (parameter.required !== true && !this.#dice.chance(0.15)) continue
      // A write that names the tag of its record here wants another one, and is refused.
      const isLeft = id === undefined || (parameter.name === 'If-None-Match' && method !== 'GET')
      const value = this.#headerValue(parameter, isLeft ? undefined : this.#pool.entityTag(tag, id))
      if (value !== undefined) headers[parameter.name.toLowerCase()] = value
    }
    if (answerTypes.includes('text/event-stream')) {
      headers['accept'] = this.#dice.pick(answerTypes) ?? '*/*'
      headers['prefer'] = 'wait=0'
    }
    return headers
  }

  #headerValue({ name, schema }: Parameter, entityTag: string | undefined): string | undefined {
    if (name === 'If-Match') return this.#dice.chance(0.2) ? '*' : entityTag
    if (name === 'If-None-Match') return entityTag ?? '"none-such"'
    if (name === 'Last-Event-ID') return this.#dice.pick(['start', '1:0', '9:9'])
    if (schema.pattern === undefined && allows(schema, 'string'))
      return this.#dice.pick(['ada', 'Ada Lovelace', 'a@b.c', "o'hara", '1', 'x'.repeat(255)])
    if (name === 'Idempotency-Key') return `${String(this.values.value(schema)).slice(0, 100)}#${this.#keys++}`.trim()
    // White space around the value of a header is no part of it, and a header of white space alone is empty.
    return `r${String(this.values.value(schema))}`.slice(0, schema.maxLength ?? 100).trim()
  }

  #body(operation: Operation, schema: Schema, id: string | undefined): unknown {
    // An instant at which the record was there: of random ones there is hardly any.
    if (operation.path.endsWith('/{id}/revert') && this.#dice.chance(0.7)) return { to: new Date().toISOString() }
    if (operation.path === '/db/revert' && this.#dice.chance(0.7))
      return { actor: 'nobody who ever wrote', since: new Date().toISOString() }
    const form = this.#dice.pick(this.#document.forms(schema)) ?? {}
    const { items } = form
    if (items) return Array.from({ length: this.#dice.integer(1, 4) }, (_, index) => this.#record(operation, items, `${index}.`))
    if (form.properties?.['operations']) return this.#batch(form.properties['operations'])
    const isNew = operation.method === 'PUT' && id !== undefined && !this.#pool.isKnown(operation.tag, id)
    const record = this.#record(operation, form, '', isNew)
    const key = this.keyOf(operation.tag)
    // A whole record may be sent back, and then with its own id.
    if (key !== undefined && id !== undefined && key in record) delete record[key]
    return record
  }

  /** A record, its references to records that are there. One that PUT makes has to be whole. */
  #record({ tag, method }: Operation, schema: Schema, place = '', isNew = false): Record<string, unknown> {
    const { properties = {}, required = [] } = this.#document.follow(schema)
    const needed = isNew ? (this.#formOf(tag, 'POST').required ?? []) : required
    const writable = method !== 'PUT' ? properties : isNew ? this.#formOf(tag, 'POST').properties : this.#formOf(tag, 'PATCH').properties
    const record: Record<string, unknown> = {}
    for (const [field, member] of Object.entries(properties)) {
      const isWanted = needed.includes(field) || this.#dice.chance(method === 'PUT' ? 0.7 : 0.5)
      if (isWanted && writable !== undefined && field in writable) record[field] = this.#fieldValue(tag, field, member, place)
    }
    return record
  }

  #fieldValue(tag: string, field: string, schema: Schema, place: string): unknown {
    const candidates = this.#referenced(field, schema)
    if (candidates.length === 0) return this.values.value(schema)
    // One guess for a field of a request: the answer tells whether it was right.
    const earlier = this.#guesses.find((guess) => guess.tag === tag && guess.field === field)
    const source = earlier?.source ?? this.#pool.source(tag, field, candidates, this.#dice)
    const id = source === undefined ? undefined : this.#pool.liveId(source, this.#dice)
    const isOptional = this.#document.forms(schema).some((form) => allows(form, 'null'))
    if (source === undefined || id === undefined || (isOptional && this.#dice.chance(0.3)))
      return isOptional ? null : this.values.value(schema)
    this.#guesses.push({ tag, field, source, id, place: `${place}${field}` })
    return this.#document.forms(schema).some((form) => allows(form, 'integer')) ? Number(id) : id
  }

  /** Components to whose records a field may point: its name ends with the name of their key, and is of the same type. */
  #referenced(field: string, schema: Schema): string[] {
    const forms = this.#document.forms(schema)
    return [...new Set(this.#document.operations.map(({ tag }) => tag))].filter((tag) => {
      const key = this.keyOf(tag)
      const id = this.#idSchema(tag)
      return key !== undefined && id !== undefined && field.endsWith(`_${key}`) && forms.some((form) => alike(form, id))
    })
  }

  /** Operations of a batch: their methods and components are those that the schema allows. */
  #batch({ items = {} }: Schema): unknown {
    const operations: { method: unknown; component: string; id?: unknown; body?: unknown; purge?: boolean }[] = []
    const forms = this.#document.forms(items)
    for (let count = this.#dice.integer(1, 3); count > 0; count--) {
      const { properties = {}, required = [] } = this.#dice.pick(forms) ?? {}
      const component = String(properties['component']?.const)
      const method = properties['method']?.const
      const id = required.includes('id') ? this.#batchedId(component, method, operations) : undefined
      if (required.includes('id') && id === undefined) continue
      operations.push({
        method,
        component,
        ...(id !== undefined && { id }),
        ...(properties['body'] && { body: this.#batchedBody(component, method === 'create' ? 'POST' : 'PATCH') }),
        ...(properties['purge'] && this.#dice.chance(0.2) && { purge: true }),
      })
    }
    return { operations }
  }

  /** The id of a record that is there, or of one that an earlier operation makes. */
  #batchedId(component: string, method: unknown, earlier: readonly { readonly method: unknown; readonly component: string }[]): unknown {
    const maker = earlier.findIndex((one) => one.method === 'create' && one.component === component)
    if (maker >= 0 && this.#dice.chance(0.5)) return `$${maker}.${this.keyOf(component)}`
    const deleted = method === 'restore' ? this.#pool.deletedId(component, this.#dice) : undefined
    const id = deleted ?? this.#pool.liveId(component, this.#dice)
    return id !== undefined && allows(this.#idSchema(component) ?? {}, 'integer') ? Number(id) : id
  }

  #batchedBody(component: string, method: 'POST' | 'PATCH'): unknown {
    const operation = this.#document.operations.find((one) => one.tag === component && one.method === method)
    return operation && this.#record(operation, this.#formOf(component, method))
  }

  #idSchema(tag: string): Schema | undefined {
    const operation = this.#document.operations.find((one) => one.tag === tag && one.path.endsWith('/{id}'))
    return operation?.parameters.find((parameter) => parameter.in === 'path')?.schema
  }

  /** The name of a component's key: the first member of its records. */
  keyOf(tag: string): string | undefined {
    const read = this.#document.operations.find((one) => one.tag === tag && one.method === 'GET' && one.path.endsWith('/{id}'))
    return Object.keys(this.#document.membersOf(read?.answer))[0]
  }

  /** The schema of one new record, or of a patch: what a request may set. PUT describes what it only takes unchanged too. */
  #formOf(tag: string, method: 'POST' | 'PATCH'): Schema {
    const operation = this.#document.operations.find((one) => one.tag === tag && one.method === method && one.bodies.length > 0)
    return operation?.bodies.flatMap(({ schema }) => this.#document.forms(schema)).find((form) => form.properties) ?? {}
  }
}

function alike(one: Schema, other: Schema): boolean {
  const typeOf = (schema: Schema): string =>
    allows(schema, 'integer') ? 'integer' : allows(schema, 'string') ? (schema.format ?? 'string') : 'other'
  return typeOf(one) !== 'other' && typeOf(one) === typeOf(other)
}
