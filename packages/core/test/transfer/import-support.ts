import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { ExportOptions, Storage } from '@strongroom/core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'

/** Bytes or text as a stream. */
export function streamed(content: string | Uint8Array): Readable {
  return Readable.from([Buffer.from(content)])
}

/** Lines of a CSV file as a stream. */
export function csv(...lines: readonly string[]): Readable {
  return streamed(`${lines.join('\r\n')}\r\n`)
}

/** An export with its secrets, in memory. */
export async function exported(storage: Storage, options: ExportOptions = { secrets: 'include' }): Promise<Buffer> {
  const target = new PassThrough()
  const [zip] = await Promise.all([buffer(target), storage.export(target, options)])
  return zip
}

/** Writes files into folders of their own, which are gone after the suite. */
export function filesIn(): (name: string, content: string | Uint8Array) => Promise<string> {
  const folders: string[] = []
  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true, force: true })
  })
  return async (name, content) => {
    const folder = await mkdtemp(join(tmpdir(), 'import-files-'))
    folders.push(folder)
    const path = join(folder, name)
    await writeFile(path, content)
    return path
  }
}

/** Fails a test that leaves a work folder among the temporary files. */
export function watchTemporaryFiles(): void {
  const before = process.env['TMPDIR']
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'import-work-'))
    process.env['TMPDIR'] = folder
  })
  afterEach(async () => {
    const names = (await readdir(folder)).filter((name) => /^(strongroom-\w{6}$|\.strongroom-work-)/.test(name))
    const found = await Promise.all(names.map(async (name) => ({ name, files: await readdir(join(folder, name)) })))
    // A database in memory is a file there, too, as long as its storage is open.
    expect(found.filter(({ files }) => !files.includes('memory.db'))).toEqual([])
  })
  afterAll(async () => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
    await rm(folder, { recursive: true, force: true })
  })
}
