import type { Client } from './client.ts'
import { CopyMessage } from './copy-message.ts'
import { quoteName } from './names.ts'

/** Rows on their way into a table. Nothing else may be asked of the connection until it is ended. */
export interface RowCopy {
  /** Sends rows, whose values are in the engine's own form; resolves when they have left. */
  add(rows: readonly (readonly unknown[])[]): Promise<void>
  /** Resolves when the server has taken all of them. */
  end(): Promise<void>
}

export function copySql(table: string, columns: readonly string[]): string {
  return `COPY ${quoteName(table)} (${columns.map(quoteName).join(', ')}) FROM STDIN`
}

/** Adds rows by COPY: the server neither parses nor plans a statement of thousands of parameters. */
export function copyInto(client: Client, table: string, columns: readonly string[]): RowCopy {
  const copy = client.copy(copySql(table, columns))
  const message = new CopyMessage()
  return {
    add: async (rows) => {
      for (const row of rows) message.add(row)
      await copy.send(message.take())
    },
    end: () => copy.end(),
  }
}
