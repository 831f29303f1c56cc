/** A graph as the names that each name leads to. */
export type Graph = ReadonlyMap<string, readonly string[]>

/** The circles that a walk through the graph runs into, each as `a → b → a`. Empty when there is none. */
export function circles(graph: Graph): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const trail: string[] = []
  const visit = (name: string): void => {
    if (done.has(name)) return
    const start = trail.indexOf(name)
    if (start >= 0) {
      found.push([...trail.slice(start), name].join(' → '))
      return
    }
    trail.push(name)
    for (const next of graph.get(name) ?? []) visit(next)
    trail.pop()
    done.add(name)
  }
  for (const name of graph.keys()) visit(name)
  return found
}
