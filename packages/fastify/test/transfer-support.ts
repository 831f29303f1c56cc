import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import multipart from '@fastify/multipart'
import type { TestEngine } from '@strongroom/testkit'
import Fastify from 'fastify'
import yauzl from 'yauzl'
import { type BootstrapOptions, bootstrap } from '../src/index.ts'
import { makeAccessors, type TestServer } from './support.ts'

/** A server that listens, whose temporary files are in folders of its own. */
export interface ListeningServer extends TestServer {
  readonly url: string
  readonly port: number
  /** Names of temporary files and folders that are there now. */
  leftovers(): Promise<string[]>
}

/** Starts a server in a host that reads forms in its own way. */
export async function listen(engine: TestEngine, options: Partial<BootstrapOptions> = {}): Promise<ListeningServer> {
  const databaseUrl = await engine.freshUrl()
  const app = Fastify()
  await app.register(multipart, { attachFieldsToBody: true })
  const made = makeAccessors()
  await bootstrap(app, { accessors: [made.users, made.products, made.tags], databaseUrl, operators: 'loopback', ...options })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const temporary = process.env['TMPDIR'] ?? ''
  const places = databaseUrl.startsWith('sqlite:') ? [temporary, dirname(databaseUrl.slice('sqlite:'.length))] : [temporary]
  const leftovers = async () => {
    const names = (await Promise.all(places.map((place) => readdir(place)))).flat()
    return names.filter((name) => /^(strongroom-\w{6}$|\.strongroom-work-)/.test(name))
  }
  return { ...made, app, storage: app.storage, url: `http://127.0.0.1:${port}`, port, leftovers }
}

/** A form whose field `file` is the file. */
export function formOf(bytes: Uint8Array<ArrayBuffer>, field = 'file'): FormData {
  const form = new FormData()
  form.set(field, new Blob([bytes]), 'backup.sqlite')
  return form
}

/** The bytes of a new backup. */
export async function backupOf({ storage }: TestServer): Promise<Buffer<ArrayBuffer>> {
  const path = join(await mkdtemp(join(process.env['TMPDIR'] ?? '', 'made-')), 'backup.sqlite')
  await storage.backup(path)
  return readFile(path)
}

/** The files of a zip by name. */
export function filesOf(zip: Buffer): Promise<Map<string, string>> {
  const { promise, resolve, reject } = Promise.withResolvers<Map<string, string>>()
  const files = new Map<string, string>()
  yauzl.fromBuffer(zip, { lazyEntries: true }, (error, archive) => {
    if (error) return reject(error)
    archive.on('error', reject).on('end', () => resolve(files))
    archive.on('entry', (entry: yauzl.Entry) => {
      archive.openReadStream(entry, (failure, stream) => {
        if (failure) return reject(failure)
        text(stream).then((content) => {
          files.set(entry.fileName, content)
          archive.readEntry()
        }, reject)
      })
    })
    archive.readEntry()
  })
  return promise
}

/** Begins a request and leaves it open. */
export async function begin(port: number, head: readonly string[], body: string | Uint8Array = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  // What is wrong with the connection is seen by what comes back.
  socket.on('error', () => undefined)
  socket.write(`${[...head, `Host: 127.0.0.1:${port}`].join('\r\n')}\r\n\r\n`)
  socket.write(body)
  return socket
}
