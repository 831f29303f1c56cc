import { Fault } from '../faults.ts'

/** What a server has against a question: a problem (RFC 9457), an envelope, or what somebody else says. */
export function readFault(status: number, text: string, origin: string): Fault {
  const body = parse(text)
  const told = textOf(body['detail']) ?? textOf(body['message'])
  if (told === undefined) return new Fault(`${origin} answered ${status}${advice(status)}.`, { status })
  const details = asRecord(body['details'])
  const code = textOf(body['code']) ?? textOf(details['code'])
  const requestId = textOf(body['request_id']) ?? textOf(details['request_id'])
  return new Fault(told, {
    status,
    issues: issuesOf(body['errors'] ?? details['errors']),
    ...(code !== undefined && { code }),
    ...(requestId !== undefined && { requestId }),
  })
}

/** The content of an answer, out of its envelope where the server has one. */
export function contentOf(body: unknown): unknown {
  const envelope = asRecord(body)
  return envelope['success'] === true && 'data' in envelope ? envelope['data'] : body
}

function advice(status: number): string {
  if (status >= 300 && status < 400) return ', which points elsewhere: say the URL that it points to'
  return status === 404 ? ': are /db and the prefix of the server right?' : ''
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return asRecord(JSON.parse(text))
  } catch {
    return {}
  }
}

export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  // Any member may be missing, or be anything.
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function issuesOf(value: unknown): Fault['issues'] {
  if (!Array.isArray(value)) return []
  return value.map(asRecord).map(({ path, message }) => ({ path: String(path ?? ''), message: String(message ?? '') }))
}
