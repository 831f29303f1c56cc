import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { DownloadStream } from '../src/operators/download-stream.ts'

/** Pieces of their own memory, none like another. */
const makePieces = (): Buffer[] =>
  Array.from({ length: 40 }, (_none, index) => Buffer.from(new Uint8Array(65_536 - index).fill(index + 1).buffer))

const whole = Buffer.concat(makePieces())

/** A server that sends such pieces at `/`. */
async function serve(pieces: readonly Buffer[], change?: (app: FastifyInstance) => void): Promise<{ app: FastifyInstance; url: string }> {
  const app = Fastify()
  onTestFinished(() => app.close())
  change?.(app)
  app.get('/', (_request, reply: FastifyReply) => {
    const bytes = new DownloadStream(reply.raw)
    // What it ends with, Fastify tells the client.
    pipeline(Readable.from(pieces), bytes).catch(() => undefined)
    return reply.type('application/octet-stream').send(bytes)
  })
  return { app, url: await app.listen({ port: 0, host: '127.0.0.1' }) }
}

test('a download arrives to the letter, and the memory of its pieces is given back', async () => {
  const pieces = makePieces()
  const { url, app } = await serve(pieces)
  expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(whole)).toBe(true)
  expect(pieces.map(({ byteLength }) => byteLength)).toEqual(pieces.map(() => 0))
  // Fastify's own way to ask without a connection.
  const again = await serve(makePieces())
  expect((await again.app.inject('/')).rawPayload.equals(whole)).toBe(true)
  await app.close()
})

test('pieces that share memory with others keep it', async () => {
  const { buffer: shared } = new Uint8Array(1_000).fill(7)
  const { url } = await serve([Buffer.from(shared, 0, 500), Buffer.from(shared, 500, 500)])
  expect((await fetch(url).then((answer) => answer.arrayBuffer())).byteLength).toBe(1_000)
  expect(shared.byteLength).toBe(1_000)
})

test('a hook of the host that keeps what it is given gets all of it', async () => {
  const pieces = makePieces()
  const { url } = await serve(pieces, (app) => {
    app.addHook('onSend', async (_request, _reply, payload) => {
      const kept: Buffer[] = []
      const gather = new PassThrough({
        transform: (piece, _encoding, done) => {
          kept.push(piece)
          done()
        },
        flush(done) {
          this.push(Buffer.concat(kept))
          done()
        },
      })
      return (payload as Readable).pipe(gather)
    })
  })
  expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(whole)).toBe(true)
})

test('an answer whose write was replaced is sent through that', async () => {
  const pieces = makePieces()
  const { url } = await serve(pieces, (app) => {
    app.addHook('onRequest', async (_request, { raw }) => {
      const write = raw.write.bind(raw)
      // As programs do that pack answers: what is told when it is written is lost.
      raw.write = (chunk: Uint8Array) => write(chunk)
    })
  })
  expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(whole)).toBe(true)
})

test('a client that goes away ends the stream, and a stream that fails cuts the client off', async () => {
  const gone = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      for (;;) yield Buffer.from(new Uint8Array(65_536).buffer)
    } finally {
      gone.resolve()
    }
  }
  async function* failing(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(100_000)
    await begun.promise
    throw new Error('The disk is gone.')
  }
  const app = Fastify()
  onTestFinished(() => app.close())
  for (const [path, source] of Object.entries({ '/endless': endless, '/failing': failing })) {
    app.get(path, (_request, reply) => {
      const bytes = new DownloadStream(reply.raw)
      pipeline(source(), bytes).catch(() => undefined)
      return reply.send(bytes)
    })
  }
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const client = request(`${url}/endless`).end()
  const [response] = (await once(client, 'response')) as [IncomingMessage]
  response.on('error', () => undefined)
  await once(response, 'data')
  client.destroy()
  await gone.promise
  const [failed] = (await once(request(`${url}/failing`).end(), 'response')) as [IncomingMessage]
  begun.resolve()
  await expect(buffer(failed)).rejects.toThrow('aborted')
})
