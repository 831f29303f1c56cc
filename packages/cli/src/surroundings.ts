import type { Readable, Writable } from 'node:stream'

/** Where a command reads and writes: the process's own streams, or a test's. */
export interface Surroundings {
  readonly stdin: Readable & { readonly isTTY?: boolean | undefined }
  readonly stdout: Writable & { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined }
  readonly stderr: Writable & { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined }
  /** `STRONGROOM_URL`, `DATABASE_URL` and `STRONGROOM_TOKEN` are read, and nothing else. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Ends the command; nothing half-made is left. */
  readonly signal: AbortSignal
}
