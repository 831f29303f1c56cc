import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ResponseStyle } from '@strongroom/contract'
import { problemOf, writeProblem } from './problem.ts'
import { mayTakeItsTime } from './upload/slow-sockets.ts'

const answers: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The path and the headers together are longer than this server takes.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
}

/** Makes what answers bytes that Node's HTTP parser gives up on. There is no request yet: the answer is written to the socket itself. */
export function answerUnreadable(responses: ResponseStyle): (error: Error & { readonly code?: string }, socket: Socket) => void {
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && mayTakeItsTime(socket)) return
    const [status, detail] = answers[error.code ?? ''] ?? [400, 'This is not HTTP/1.1 that the server can read.']
    const requestId = randomUUID()
    const { type, text } = writeProblem(problemOf({ code: 'bad_request', status, detail }, '/', requestId), responses)
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `X-Request-Id: ${requestId}`,
      `Content-Type: ${type}`,
      `Content-Length: ${Buffer.byteLength(text)}`,
      'Connection: close',
    ]
    if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${text}`)
    socket.destroy(error)
  }
}
