import type { BatchMethod, WireModel } from '@strongroom/contract'
import type { Connection } from './connection.ts'
import type { IdOf, Models, NewOf, PatchOf, RecordOf, SavedOf } from './model-types.ts'
import type { WriteOptions } from './options.ts'
import { strangeError } from './read-error.ts'

/** A field of the record that an earlier operation of a batch answers; `ref` makes it. */
export class BatchReference {
  /** The operation, from 0 on. */
  readonly operation: number
  readonly field: string

  constructor(operation: number, field: string) {
    this.operation = operation
    this.field = field
  }
}

/**
 * Stands in a batch for a field of the record that an earlier operation answers.
 *
 * @param operation the number of that operation, from 0 on
 * @example
 * await client.batch([
 *   { method: 'create', component: 'users', body: { name: 'Ada', email: 'ada@example.com' } },
 *   { method: 'create', component: 'posts', body: { title: 'Hello', owner_id: ref(0, 'id') } },
 * ])
 */
export function ref(operation: number, field: string): BatchReference {
  return new BatchReference(operation, field)
}

/** A body whose values may be references to earlier results. */
type Referring<Body> = { readonly [Name in keyof Body]: Body[Name] | BatchReference }

type Id<Model extends WireModel> = IdOf<Model> | BatchReference

/** One operation of a batch on one component. */
export type ComponentOperation<Component extends string, Model extends WireModel> =
  | { readonly method: 'create'; readonly component: Component; readonly body: Referring<NewOf<Model>> }
  | {
      readonly method: 'save'
      readonly component: Component
      readonly id: Id<Model>
      readonly body: Referring<SavedOf<Model>>
      readonly replace?: boolean
      readonly ifMatch?: string | undefined
    }
  | {
      readonly method: 'update'
      readonly component: Component
      readonly id: Id<Model>
      readonly body: Referring<PatchOf<Model>>
      readonly ifMatch?: string | undefined
    }
  | {
      readonly method: 'remove'
      readonly component: Component
      readonly id: Id<Model>
      readonly purge?: boolean
      readonly ifMatch?: string | undefined
    }
  | { readonly method: 'restore'; readonly component: Component; readonly id: Id<Model>; readonly ifMatch?: string | undefined }

/** One operation of a batch on any of the components. */
export type BatchOperation<Known extends Models> = {
  [Component in keyof Known & string]: ComponentOperation<Component, Known[Component]>
}[keyof Known & string]

/** What an operation of a batch answers. */
export type BatchResult<Known extends Models, Operation> = Operation extends { readonly method: 'restore' }
  ? { readonly status: number; readonly restored: boolean }
  : Operation extends { readonly component: infer Component extends keyof Known }
    ? {
        readonly status: number
        readonly record: RecordOf<Known[Component]>
        /** Of the record as this operation left it; absent where it was removed for good, and after a dry run. */
        readonly etag?: string
      }
    : never

/** What the operations of a batch answer, in their order. */
export type BatchResults<Known extends Models, Operations extends readonly unknown[]> = {
  -readonly [Index in keyof Operations]: BatchResult<Known, Operations[Index]>
}

const wireMethods: Readonly<Record<string, BatchMethod>> = {
  create: 'create',
  save: 'save',
  update: 'patch',
  remove: 'delete',
  restore: 'restore',
}

interface AnyOperation {
  readonly method: string
  readonly component: string
  readonly id?: unknown
  readonly body?: unknown
  readonly ifMatch?: string | undefined
}

/** Sends a batch. */
export async function sendBatch(connection: Connection, operations: readonly object[], options: WriteOptions): Promise<unknown[]> {
  // `BatchOperation` types them for each model.
  const body = { operations: operations.map((operation) => wireOperation(operation as AnyOperation)) }
  const { data, answer } = await connection.write({ method: 'POST', path: '/batch', body }, options)
  if (typeof data === 'object' && data !== null && 'results' in data && Array.isArray(data.results)) return data.results
  throw strangeError(answer.status, answer.headers.get('x-request-id') ?? undefined)
}

function wireOperation({ method, id, body, ifMatch, ...rest }: AnyOperation): object {
  return { ...rest, method: wireMethods[method], id: wireValue(id), body: wireValue(body), if_match: ifMatch }
}

/** References become text, and text that looks like one is marked as text. */
function wireValue(value: unknown): unknown {
  if (value instanceof BatchReference) return `$${value.operation}.${value.field}`
  if (typeof value === 'string') return /^\$+\d{1,3}\.[A-Za-z]\w*$/.test(value) ? `$${value}` : value
  if (Array.isArray(value)) return value.map(wireValue)
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, wireValue(item)]))
}
