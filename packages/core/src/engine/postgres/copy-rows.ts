import type { Client } from './client.ts'
import { quoteName } from './names.ts'

/** Adds rows by COPY: the server neither parses nor plans a statement of thousands of parameters. Values are in the engine's own form. */
export async function copyRows(
  client: Client,
  table: string,
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
): Promise<void> {
  if (rows.length === 0) return
  const text = rows.map((row) => `${row.map(copyText).join('\t')}\n`).join('')
  await client.copy(`COPY ${quoteName(table)} (${columns.map(quoteName).join(', ')}) FROM STDIN`, Buffer.from(text))
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

/** https://www.postgresql.org/docs/current/sql-copy.html, the text format. */
function copyText(value: unknown): string {
  if (value === null || value === undefined) return '\\N'
  if (typeof value === 'boolean') return value ? 't' : 'f'
  if (value instanceof Uint8Array) return `\\\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  return String(value).replace(/[\\\t\n\r]/g, (character) => escapes[character] ?? '')
}
