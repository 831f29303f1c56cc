import { buffer } from 'node:stream/consumers'
import { parse } from 'csv-parse/sync'
import yauzl from 'yauzl'

/** The files of a zip by name. */
export function filesOf(zip: Buffer): Promise<Map<string, Buffer>> {
  const { promise, resolve, reject } = Promise.withResolvers<Map<string, Buffer>>()
  const files = new Map<string, Buffer>()
  yauzl.fromBuffer(zip, { lazyEntries: true }, (error, archive) => {
    if (error) return reject(error)
    archive.on('error', reject)
    archive.on('end', () => resolve(files))
    archive.on('entry', (entry: yauzl.Entry) => {
      archive.openReadStream(entry, (failure, stream) => {
        if (failure) return reject(failure)
        buffer(stream).then((bytes) => {
          files.set(entry.fileName, bytes)
          archive.readEntry()
        }, reject)
      })
    })
    archive.readEntry()
  })
  return promise
}

/** The rows of a CSV file by column; an unquoted empty cell is null. */
export function rowsOf(csv: Buffer | undefined): Record<string, string | null>[] {
  if (!csv) throw new Error('there is no such file')
  return parse(csv, { columns: true, cast: (value, { quoting }) => (value === '' && !quoting ? null : value) })
}
