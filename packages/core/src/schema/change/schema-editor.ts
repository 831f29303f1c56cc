import type { TableDefinition } from '../definition/table-definition.ts'
import type { TableChanges } from './table-changes.ts'

/**
 * Changes tables, the same on every engine. What records stand against is refused with `migration_refused`, which tells how many and gives
 * some of their ids; then nothing of the whole migration is done.
 */
export interface SchemaEditor {
  /**
   * Makes a table that there is not yet. Tables that it points to have to stand.
   * @example
   * await schema.createTable('posts', {
   *   id: { name: 'id', type: 'integer' },
   *   fields: { title: { type: 'text' }, row_version: { type: 'text' } },
   *   indexes: [{ fields: ['title'], unique: true }],
   * })
   */
  createTable(name: string, definition: TableDefinition): Promise<void>
  /** Removes a table. With records in it, it is refused unless they may go, too. */
  dropTable(name: string, options?: { readonly discard?: boolean }): Promise<void>
  /** Gives a table another name, and what hangs on it with it. */
  renameTable(name: string, to: string): Promise<void>
  /**
   * Changes fields and indexes of a table, in one go: SQLite writes a table anew for most of it, once for each call.
   * @example
   * await schema.alterTable('users', {
   *   addFields: { nickname: { type: 'text', nullable: true } },
   *   changeFields: { age: { from: { type: 'text' }, to: { type: 'integer' } } },
   * })
   */
  alterTable(name: string, changes: TableChanges): Promise<void>
}
