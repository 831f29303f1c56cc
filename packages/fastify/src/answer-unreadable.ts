import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ResponseStyle } from '@strongroom/contract'
import { STATUS_CODES } from './node-http.ts'
import { problemOf, writeProblem } from './problem.ts'
import { mayTakeItsTime } from './upload/slow-sockets.ts'

const answers: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The path and the headers together are longer than this server takes.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
}

/** The last answer of each connection: whoever was refused before the end of its body is answered already. */
const lastAnswers = new WeakMap<Socket, ServerResponse>()

/** Has to see every request of a server whose unreadable requests are answered here. */
export function noteAnswer({ socket }: { readonly socket: Socket }, response: ServerResponse): void {
  lastAnswers.set(socket, response)
}

function isAnswered(socket: Socket): boolean {
  const response = lastAnswers.get(socket)
  return response?.headersSent === true && !response.req.complete
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
    if (socket.writable && !isAnswered(socket)) socket.write(`${head.join('\r\n')}\r\n\r\n${text}`)
    socket.destroy(error)
  }
}
