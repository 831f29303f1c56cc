/** A condition as rules write it. */
export type Where = Readonly<Record<string, unknown>>

/** A record of a tree. */
export interface Node {
  readonly id: number
  readonly label: string | null
  readonly parent_id: number | null
  readonly other_id: number | null
  readonly deleted: boolean
}

const label = (at: number): string | null => ['a', 'b', null, 'c'][at % 4] ?? null

/** Ten records: some point to themselves, some nowhere, some to deleted ones. */
export const nodes: readonly Node[] = [
  [null, null],
  [1, 2],
  [2, 1],
  [3, 3],
  [4, null],
  [null, 4],
  [2, 7],
  [7, 9],
  [9, null],
  [1, 1],
].map(([parent = null, other = null], at) => {
  return { id: at + 1, label: label(at), parent_id: parent, other_id: other, deleted: at === 1 || at === 6 }
})

const byId = (id: number | null): Node[] => nodes.filter((node) => node.id === id)

const links: Readonly<Record<string, (node: Node) => Node[]>> = {
  parent: (node) => byId(node.parent_id),
  other: (node) => byId(node.other_id),
  nodes_by_parent_id: (node) => nodes.filter(({ parent_id }) => parent_id === node.id),
  nodes_by_other_id: (node) => nodes.filter(({ other_id }) => other_id === node.id),
}

/** What a condition means, said in plain code. Deleted records link nothing. */
export const Link = {
  names: Object.keys(links),
  holds: (node: Node, where: Where): boolean => Object.entries(where).every(([name, value]) => part(node, name, value)),
}

function part(node: Node, name: string, value: unknown): boolean {
  // The generator makes these shapes only.
  if (name === 'and') return (value as Where[]).every((inner) => Link.holds(node, inner))
  if (name === 'or') return (value as Where[]).some((inner) => Link.holds(node, inner))
  if (name === 'not') return !Link.holds(node, value as Where)
  if (name === 'linked') {
    return Object.entries(value as Readonly<Record<string, Where>>).every(([link, inner]) =>
      links[link]?.(node).some((other) => !other.deleted && Link.holds(other, inner)),
    )
  }
  const own = node[name as 'label' | 'parent_id']
  if (typeof value !== 'object' || value === null) return own === value
  const { ne, in: list, isNull } = value as { ne?: string; in?: unknown[]; isNull?: boolean }
  if (ne !== undefined) return own !== ne
  return list ? list.includes(own) : (own === null) === isNull
}
