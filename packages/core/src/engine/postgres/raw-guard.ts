import { UsageError } from '../../errors.ts'
import { sqlState, unauditedWrite } from './errors.ts'

/** What may begin a statement that only reads. Everything else is refused before the server sees it. */
const reading = new Set(['select', 'with', 'values', 'table', 'show', 'explain'])

/** What ends, splits or outlives the unit that a statement runs in; the connection goes back to the pool afterwards. */
const sessionControl = new Set(
  'begin start commit end rollback abort savepoint release prepare execute deallocate discard set reset listen unlisten'.split(' '),
)

/** Refuses a statement that does not start like one that only reads; the read-only transaction around it does the rest. */
export function assertReading(sql: string): void {
  const [first] = leadingWords(sql)
  if (first !== undefined && sessionControl.has(first)) throw controlRefused()
  if (first === undefined || !reading.has(first)) throw unauditedWrite()
}

/** Refuses statements that would take the transaction, or the session, out of the engine's hands. */
export function assertNoControl(sql: string): void {
  const [first, second] = leadingWords(sql)
  // what is set for the transaction alone ends with it
  if (first === 'set' && second === 'local') return
  if (first !== undefined && sessionControl.has(first)) throw controlRefused()
}

function controlRefused(): UsageError {
  return new UsageError(
    'unaudited_write',
    'The storage itself begins, commits and sets up its connections. Use storage.transaction(), which nests.',
  )
}

/** The first two words of a statement in lower case, past blanks, comments, empty statements and opening brackets. */
export function leadingWords(sql: string): string[] {
  const words: string[] = []
  let position = skipIdle(sql, 0)
  while (words.length < 2) {
    const word = /^[a-z_]+/i.exec(sql.slice(position, position + 64))?.[0]
    if (word === undefined) break
    words.push(word.toLowerCase())
    position = skipIdle(sql, position + word.length)
  }
  return words
}

function skipIdle(sql: string, from: number): number {
  let position = from
  for (;;) {
    if (sql.startsWith('--', position)) position = endOfLine(sql, position)
    else if (sql.startsWith('/*', position)) position = endOfComment(sql, position)
    else if (position < sql.length && ' \t\n\r\f\v;('.includes(sql.charAt(position))) position++
    else return position
  }
}

function endOfLine(sql: string, from: number): number {
  const length = sql.slice(from).search(/[\n\r]/)
  return length < 0 ? sql.length : from + length
}

/** Comments nest in PostgreSQL. */
function endOfComment(sql: string, from: number): number {
  let depth = 0
  for (let position = from; position < sql.length; ) {
    if (sql.startsWith('/*', position)) {
      depth++
      position += 2
    } else if (sql.startsWith('*/', position)) {
      depth--
      position += 2
      if (depth === 0) return position
    } else position++
  }
  return sql.length
}

/** What a statement that may only read was refused for. */
export function refusal(error: unknown): unknown {
  return sqlState(error) === '25006' ? unauditedWrite(error) : error
}
