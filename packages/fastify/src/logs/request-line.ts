import type { FastifyBaseLogger } from 'fastify'
import pino from 'pino'
import type { Redactor } from './redact.ts'

/** What the log says of a request that is over. */
export interface RequestLine {
  readonly trace_id: string | null
  readonly actor: string | null
  readonly tenant: string | null
  readonly component: string | null
  readonly operation: string | null
  readonly method: string
  /** Without the query: it can hold what people look for. */
  readonly path: string
  readonly route: string | null
  readonly status: number | null
  readonly duration_ms: number
  /** Not known any more once the connection is gone. */
  readonly ip: string | undefined
  readonly aborted?: true
}

/** Writes the line of a request, on a level that is logged. */
export type WriteRequestLine = (log: FastifyBaseLogger, level: 'info' | 'warn', line: RequestLine) => void

/** What the lines are about. */
const message = 'request'

/** The way of every logger there is. */
export const writeByLogger: WriteRequestLine = (log, level, line) => log[level](line, message)

/** What pino keeps in a logger of its own. */
type Insides = {
  readonly [pino.symbols.chindingsSym]?: unknown
  readonly [pino.symbols.serializersSym]?: unknown
  readonly [pino.symbols.stringifiersSym]?: unknown
}

const names = [
  'trace_id',
  'actor',
  'tenant',
  'component',
  'operation',
  'method',
  'path',
  'route',
  'status',
  'duration_ms',
  'ip',
] as const satisfies readonly (keyof RequestLine)[]

/**
 * Writes the lines that a server's logger, and what Fastify makes of it for each request, would write, put together by hand: names and kinds
 * of their values are known, and most of the time of a line went into finding them out again (measured).
 * @param server its logger is one of ours, without options of anybody else
 */
export function requestLineWriter(server: FastifyBaseLogger, redactor: Redactor, write: (line: string) => void): WriteRequestLine {
  // A model may call a secret field by one of these names, and then it is masked.
  if (names.some((name) => redactor.isSecretName(name))) return writeByLogger
  const time = cachedTime()
  const texts = new Texts(redactor)
  const own = server as Insides
  return (log, level, line) => {
    const theirs = log as Insides
    const bindings = theirs[pino.symbols.chindingsSym]
    const isPlain =
      typeof bindings === 'string' &&
      theirs[pino.symbols.serializersSym] === own[pino.symbols.serializersSym] &&
      theirs[pino.symbols.stringifiersSym] === own[pino.symbols.stringifiersSym]
    // A logger that somebody has put in the place of ours writes as it likes.
    if (!isPlain) return writeByLogger(log, level, line)
    // No secret, and nothing that looks like one, goes from one value to the next.
    write(`{"level":"${level}","time":"${time()}"${redactor.scrub(bindings)}${body(line, texts)},"msg":"${message}"}\n`)
  }
}

function body(line: RequestLine, texts: Texts): string {
  const who = `,"trace_id":${texts.of(line.trace_id)},"actor":${texts.of(line.actor)},"tenant":${texts.of(line.tenant)}`
  const what = `,"component":${texts.of(line.component)},"operation":${texts.of(line.operation)},"method":${texts.of(line.method)}`
  const where = `,"path":${texts.once(line.path)},"route":${texts.of(line.route)}`
  const how = `,"status":${line.status},"duration_ms":${line.duration_ms}`
  const from = line.ip === undefined ? '' : `,"ip":${texts.of(line.ip)}`
  return line.aborted ? `${who}${what}${where}${how}${from},"aborted":true` : `${who}${what}${where}${how}${from}`
}

/** Values that are remembered, some 100 kB. */
const mostRemembered = 1_000

/** Values as the log has them: JSON, without secrets. */
class Texts {
  readonly #redactor: Redactor
  readonly #known = new Map<string, string>()

  constructor(redactor: Redactor) {
    this.#redactor = redactor
  }

  /** Routes, callers and their addresses are the same in many lines: to write and scrub them anew took a third of a line's time (measured). */
  of(value: string | null): string {
    if (value === null) return 'null'
    const known = this.#known.get(value)
    if (known !== undefined) return known
    const text = this.once(value)
    if (this.#known.size >= mostRemembered) this.#known.clear()
    this.#known.set(value, text)
    return text
  }

  /** The same for one that hardly comes again. */
  once(value: string): string {
    return this.#redactor.scrub(JSON.stringify(value))
  }
}

/** The time as the log has it; many lines are of one millisecond. */
function cachedTime(): () => string {
  let last = 0
  let shown = ''
  return () => {
    const now = Date.now()
    if (now !== last) {
      last = now
      shown = new Date(now).toISOString()
    }
    return shown
  }
}
