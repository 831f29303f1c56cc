import type { PgCopying, PgRows } from './driver.ts'

/** Rows on their way to the server. */
export interface CopyFlow {
  /** Sends a CopyData message; resolves when it has left this process. Rejects where the server has refused what was sent before. */
  send(message: Buffer): Promise<void>
  /** Resolves when the server has taken everything. */
  end(): Promise<void>
}

/** @param begin sends the query; resolves when it has ended */
export function copyFlow(query: PgRows, connection: PgCopying, begin: () => Promise<void>): CopyFlow {
  const wanted = Promise.withResolvers<void>()
  query.handleCopyInResponse = () => wanted.resolve()
  const ended = begin()
  // Whoever sends the next rows, or ends it, is told.
  ended.catch(() => undefined)
  return {
    send: async (message) => {
      await Promise.race([wanted.promise, ended])
      const sent = new Promise<void>((resolve) => connection.stream.write(message, () => resolve()))
      // The server takes no notice of rows behind a wrong one, and of a connection that is gone nobody would hear.
      await Promise.race([sent, ended])
    },
    end: async () => {
      await Promise.race([wanted.promise, ended])
      connection.endCopyFrom()
      await ended
    },
  }
}
