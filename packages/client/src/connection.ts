import type { Pagination, QueryPair } from '@strongroom/contract'
import type { CallOptions, ClientOptions, ConditionalWriteOptions } from './options.ts'
import { strangeError } from './read-error.ts'
import { type Answer, type Call, makeStreamOpener, makeTransport, type OpenStream } from './transport.ts'

/** What an answer is about, out of its envelope. */
export interface Data {
  readonly data: unknown
  readonly pagination: Pagination | undefined
  readonly answer: Answer
}

/** The way to the server, and how its answers are read. */
export interface Connection {
  read(call: Pick<Call, 'path' | 'query' | 'headers'>, options: CallOptions): Promise<Data>
  write(call: Omit<Call, 'headers'>, options: ConditionalWriteOptions): Promise<Data>
  readonly open: OpenStream
}

/** Makes the way to a server. */
export function connect(options: ClientOptions): Connection {
  const transport = makeTransport(options)
  const send = async (call: Call): Promise<Data> => {
    const answer = await transport(call)
    return options.responses === 'envelope' ? unwrap(answer) : { data: answer.body, pagination: undefined, answer }
  }
  return {
    open: makeStreamOpener(options),
    read: (call, { signal, requestId }) => send({ ...call, method: 'GET', signal, requestId }),
    write: (call, write) => {
      const { signal, requestId, dryRun } = write
      const query = dryRun ? [...(call.query ?? []), { name: 'dry_run', value: 'true' }] : call.query
      return send({ ...call, query, signal, requestId, headers: writeHeaders(write, options.actor) })
    },
  }
}

function writeHeaders(write: ConditionalWriteOptions, actor: string | undefined): Call['headers'] {
  return {
    'x-user': write.actor ?? actor,
    // One for all tries of the call: the server does it once.
    'idempotency-key': write.idempotencyKey ?? makeKey(),
    'if-match': write.ifMatch,
  }
}

/** Browsers make UUIDs only on pages that came over HTTPS. */
function makeKey(): string {
  return crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16)).join('-')
}

function unwrap(answer: Answer): Data {
  const { body, status } = answer
  if (body === undefined) return { data: undefined, pagination: undefined, answer }
  if (typeof body !== 'object' || body === null || !('data' in body) || !('success' in body)) throw strangeError(status, undefined)
  const pagination = 'pagination' in body ? body.pagination : undefined
  // The contract says what stands in an envelope.
  return { data: body.data, pagination: (pagination ?? undefined) as Pagination | undefined, answer }
}

/** A flag of a query, where it is set. */
export function flag(name: string, value: boolean | undefined): QueryPair[] {
  return value ? [{ name, value: 'true' }] : []
}
