import type { Dice } from './dice.ts'
import { type Draft, payloadOf, urlOf } from './request.ts'

/** Bytes that are no request to any operation: the HTTP parser has to give up on them, and say so. */
export function brokenBytes(draft: Draft, dice: Dice): { readonly kind: string; readonly bytes: Buffer } {
  const line = `${draft.method} ${urlOf(draft)} HTTP/1.1`
  const payload = Buffer.from(payloadOf(draft) ?? '')
  const json = 'Content-Type: application/json'
  const kinds = [
    ['headers that are too long', line, 'Host: x', `X-Filler: ${'x'.repeat(20_000)}`],
    ['a path that is too long', `GET /${'x'.repeat(20_000)} HTTP/1.1`, 'Host: x'],
    ['no Host', line],
    ['NUL in a header', line, 'Host: x', 'X-User: a\0b'],
    ['a header without a colon', line, 'Host: x', 'nonsense'],
    ['a header that is folded', line, 'Host: x', 'X-User: a', ' b', '\x01: c'],
    ['a body cut off', line, 'Host: x', json, 'X-User: ada', `Content-Length: ${payload.length + 100}`],
    ['two lengths', line, 'Host: x', json, 'Content-Length: 5', 'Content-Length: 6'],
    ['a length that is none', line, 'Host: x', json, 'Content-Length: -1'],
    ['a length and chunks', line, 'Host: x', json, 'Content-Length: 5', 'Transfer-Encoding: chunked'],
    ['a chunk that is none', line, 'Host: x', json, 'X-User: ada', 'Transfer-Encoding: chunked', '', 'zz'],
    ['an unknown method', line.replace(draft.method, 'EXPLODE'), 'Host: x'],
    ['another protocol', line.replace('HTTP/1.1', 'HTTP/9.9'), 'Host: x'],
    ['spaces in the path', `GET /a b c HTTP/1.1`, 'Host: x'],
    ['no HTTP', 'hello', 'is anybody there?'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00'],
  ] as const
  // Where nobody waits for the body there is nothing to miss.
  const [kind = '', ...lines] = dice.pick(kinds.filter(([name]) => payload.length > 0 || name !== 'a body cut off')) ?? []
  return {
    kind,
    bytes: Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), kind === 'a body cut off' ? payload : Buffer.alloc(0)]),
  }
}

/** Sends the draft where no operation of the document is. Answers the kind, and nothing when there is one all the same. */
export function misplace(draft: Draft, dice: Dice, isDescribed: (method: string, path: string) => boolean): string | undefined {
  if (dice.chance(0.4)) {
    draft.path = dice.pick([
      `${draft.path}/more/steps`,
      `/no_such${draft.path}`,
      `/${draft.path}`,
      '/db/no_such',
      '/docs/../../etc/passwd',
      '/%zz',
      '/%00',
      '//',
    ])
    return 'an unknown path'
  }
  const method = dice.pick(['POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'OPTIONS', 'PROPFIND'])
  if (isDescribed(method, draft.operation.path)) return undefined
  draft.method = method
  return 'a method that is not allowed'
}
