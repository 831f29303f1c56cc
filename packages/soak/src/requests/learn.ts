import type { GoodRequest } from './good-requests.ts'
import type { Pool } from './pool.ts'
import type { Answer } from './request.ts'

type Row = Readonly<Record<string, unknown>>

/** Takes from an answer what later requests can use. `key` is the name of the records' key. */
export function learn(pool: Pool, { draft, id, guesses }: GoodRequest, answer: Answer, key: string | undefined): void {
  const { tag, path, method } = draft.operation
  const body = read(answer.body)
  if (answer.status === 409 && body?.['code'] === 'reference_conflict') {
    const wrong = new Set(pathsOf(body))
    for (const guess of guesses.filter(({ place }) => wrong.has(place))) {
      pool.learnedReference(guess.tag, guess.field, guess.source, false)
      pool.isGone(guess.source, guess.id)
    }
  }
  if (answer.status === 404 && id !== undefined) pool.isGone(tag, id)
  if (answer.status < 200 || answer.status >= 300) return
  if (answer.file) pool.sawFile(String(answer.headers['content-type']), answer.file)
  for (const { tag: holder, field, source } of guesses) pool.learnedReference(holder, field, source, true)
  for (const query of linksOf(answer)) pool.sawLink(draft.operation.name, query)
  if (draft.query.some(([name, value]) => name === 'dry_run' && value === 'true')) return
  // Operators put other contents in the place of the database's own. An import lets what is there be.
  if (tag === 'db' && path.includes('/restore')) pool.forgetAll()
  if (draft.headers['idempotency-key'] !== undefined) pool.sawKeyed(draft)
  if (method === 'DELETE') {
    // Which ones went the answer does not tell.
    if (id === undefined) pool.forget(tag)
    if (id === undefined) return
    const wasMarked = typeof body?.['record'] === 'object' && body['record'] !== null && Reflect.get(body['record'], 'deleted_at') != null
    if (wasMarked) pool.isDeleted(tag, id)
    else pool.isGone(tag, id)
    return
  }
  if (path.endsWith('/restore') && id !== undefined) pool.isLive(tag, id)
  for (const row of rowsOf(answer.body)) learnRow(pool, tag, row, key, answer)
}

function learnRow(pool: Pool, tag: string, row: Row, key: string | undefined, { headers }: Answer): void {
  pool.sawRow(tag, row)
  const id = key === undefined ? undefined : row[key]
  if (typeof id !== 'string' && typeof id !== 'number') return
  if (row['deleted_at'] != null) pool.isDeleted(tag, String(id))
  else pool.isLive(tag, String(id), typeof headers['etag'] === 'string' ? headers['etag'] : pool.entityTag(tag, String(id)))
}

function rowsOf(text: string): Row[] {
  const value: unknown = text.startsWith('[') || text.startsWith('{') ? JSON.parse(text) : undefined
  // Rows of JSON are objects.
  return (Array.isArray(value) ? value : [value]).filter((row): row is Row => typeof row === 'object' && row !== null)
}

function read(text: string): Row | undefined {
  return text.startsWith('{') ? (JSON.parse(text) as Row) : undefined
}

function pathsOf({ errors }: Row): string[] {
  return Array.isArray(errors) ? errors.map((error: { readonly path?: unknown }) => String(error.path)) : []
}

/** Queries of the pages that an answer leads to. */
function linksOf({ headers }: Answer): string[] {
  const { link } = headers
  if (typeof link !== 'string') return []
  return [...link.matchAll(/<[^>?]*\?([^>]*)>/g)].map(([, query = '']) => query)
}
