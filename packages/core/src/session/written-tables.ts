import { type OperationNode, TableNode } from 'kysely'

/** Where each kind of statement keeps the table that it writes to. */
const writers: Readonly<Record<string, string>> = {
  InsertQueryNode: 'into',
  UpdateQueryNode: 'table',
  DeleteQueryNode: 'from',
  MergeQueryNode: 'into',
  CreateTableNode: 'table',
  DropTableNode: 'table',
  AlterTableNode: 'table',
  CreateIndexNode: 'table',
  DropIndexNode: 'table',
  CreateViewNode: 'name',
  DropViewNode: 'name',
}

/** Whether a statement only reads, as far as its nodes tell; raw SQL is for the engine to judge, so it counts as reading. */
export function isReading(node: OperationNode): boolean {
  const { kind } = node
  if (kind !== 'SelectQueryNode' && kind !== 'RawNode') return false
  return !contains(node, (part) => part.kind in writers)
}

/** The tables that a statement writes to; undefined stands for one that its nodes do not name. */
export function writtenTables(node: OperationNode): (string | undefined)[] {
  const tables: (string | undefined)[] = []
  visit(node, (part) => {
    const member = writers[part.kind]
    if (member !== undefined) tables.push(...tableNames(Reflect.get(part, member)))
  })
  // A statement that is neither a reading one nor one of the writers above may do anything.
  if (tables.length === 0) tables.push(undefined)
  return tables
}

function tableNames(target: unknown): (string | undefined)[] {
  const names: (string | undefined)[] = []
  visit(target, (part) => {
    if (TableNode.is(part)) names.push(part.table.identifier.name)
    else if (part.kind === 'RawNode') names.push(undefined)
  })
  return names.length > 0 ? names : [undefined]
}

function contains(node: unknown, test: (part: OperationNode) => boolean): boolean {
  let found = false
  visit(node, (part) => {
    found ||= test(part)
  })
  return found
}

function visit(value: unknown, see: (part: OperationNode) => void): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const item of value) visit(item, see)
    return
  }
  if (isNode(value)) see(value)
  for (const [name, member] of Object.entries(value)) if (name !== 'value') visit(member, see)
}

function isNode(value: object): value is OperationNode {
  return 'kind' in value && typeof value.kind === 'string'
}
