/** The slice of archiver that is used here; its own types are for an older version. */
declare module 'archiver' {
  import type { Readable, Transform } from 'node:stream'

  export class ZipArchive extends Transform {
    constructor(options?: { readonly zlib?: { readonly level?: number; readonly chunkSize?: number } })
    append(source: Readable | Buffer | string, data: { readonly name: string }): this
    finalize(): Promise<void>
  }
}
