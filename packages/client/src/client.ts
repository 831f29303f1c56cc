import { type BatchOperation, type BatchResults, sendBatch } from './batch.ts'
import type { ChangeEvent, FollowOptions } from './changes.ts'
import { makeComponent } from './component.ts'
import type { ComponentClient } from './component-client.ts'
import { connect } from './connection.ts'
import type { Models } from './model-types.ts'
import { type ClientOptions, checkOptions, type WriteOptions } from './options.ts'

/** The components of a server by their names, and what goes across them. */
export type Client<Known extends Models> = { readonly [Component in keyof Known & string]: ComponentClient<Known[Component], Known> } & {
  /** For operators. */
  readonly db: {
    /**
     * Follows every entry of the server's audit log that the caller may read, as `changes` of a component does with its records.
     * @example for await (const change of client.db.changes({ after: bookmark })) bookmark = change.id
     */
    changes(options?: FollowOptions): AsyncGenerator<ChangeEvent<Readonly<Record<string, unknown>>>, void, undefined>
  }
  /**
   * Runs up to 100 operations of several components in one transaction, in their order: all or none. When one fails, the error's
   * `operation` says which. `ref(0, 'id')` stands for a field of an earlier result.
   */
  batch<const Operations extends readonly BatchOperation<Known>[]>(
    operations: Operations,
    options?: WriteOptions,
  ): Promise<BatchResults<Known, Operations>>
}

/**
 * Makes a client of a Strongroom server, typed by the server's models. Only their types are imported, so that nothing of the server
 * gets into a bundle.
 *
 * @throws TypeError or RangeError for options that cannot be
 * @example
 * import type { Post, User } from '../server/models.ts'
 *
 * const client = createClient<{ users: typeof User; posts: typeof Post }>({ baseUrl: 'https://api.example.com', actor: 'ada' })
 * const page = await client.users.list({ where: { role: 'admin' }, orderBy: '-created_at', limit: 20 })
 */
export function createClient<Known extends Models>(options: ClientOptions): Client<Known> {
  checkOptions(options)
  const connection = connect(options)
  const components = new Map<string, unknown>()
  const batch = (operations: readonly object[], write: WriteOptions = {}) => sendBatch(connection, operations, write)
  const find = (_target: object, name: string | symbol): unknown => {
    if (name === 'batch') return batch
    // Whoever awaits the client, or prints it, looks for these.
    if (typeof name === 'symbol' || name === 'then' || name === 'toJSON') return undefined
    const component = components.get(name) ?? makeComponent(connection, name)
    components.set(name, component)
    return component
  }
  // Which components there are is known to the types alone.
  return new Proxy({}, { get: find }) as Client<Known>
}
