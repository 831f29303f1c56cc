import type { Metric, Registry } from 'prom-client'

/** What an instrument is called. */
interface About {
  readonly name: string
  readonly help: string
  /** Labels of its figures, in the order in which their values are given. */
  readonly labelNames: readonly string[]
}

/** What one combination of labels came to. */
interface Cell {
  readonly labels: Readonly<Record<string, string | number>>
  /** How often something was counted, by the bucket that it belongs to. */
  readonly buckets: number[]
  count: number
  sum: number
}

type Value = string | number

/** One step to a cell: a value of a label. Values that are joined to a key take longer than all the counting (measured). */
class Branch {
  readonly next = new Map<Value, Branch>()
  cell: Cell | undefined = undefined

  grow(value: Value): Branch {
    const branch = new Branch()
    this.next.set(value, branch)
    return branch
  }
}

/** Cells by the values of their labels. prom-client's own instruments check and sort the labels each time, which cost a tenth of a small GET (measured). */
abstract class Instrument {
  readonly name: string
  readonly #about: About
  readonly #root = new Branch()
  protected readonly cells: Cell[] = []

  constructor(registry: Registry, about: About) {
    this.#about = about
    this.name = about.name
    // It has what the registry asks of a metric: a name, and `get` with what it is and comes to.
    registry.registerMetric(this as unknown as Metric)
  }

  protected abstract readonly type: 'counter' | 'histogram'
  protected abstract figures(
    cell: Cell,
  ): readonly { readonly labels: Cell['labels']; readonly value: number; readonly metricName?: string }[]

  protected cell(values: readonly Value[], buckets: number): Cell {
    let branch = this.#root
    for (const value of values) branch = branch.next.get(value) ?? branch.grow(value)
    branch.cell ??= this.#newCell(values, buckets)
    return branch.cell
  }

  #newCell(values: readonly Value[], buckets: number): Cell {
    const labels = Object.fromEntries(this.#about.labelNames.map((name, index) => [name, values[index] ?? '']))
    const cell = { labels, buckets: new Array<number>(buckets).fill(0), count: 0, sum: 0 }
    this.cells.push(cell)
    return cell
  }

  get() {
    const values = this.cells.flatMap((cell) => this.figures(cell))
    return { name: this.name, help: this.#about.help, type: this.type, aggregator: 'sum', values }
  }
}

/** Counts. */
export class Count extends Instrument {
  protected readonly type = 'counter'

  add(values: readonly Value[], amount = 1): void {
    this.cell(values, 0).count += amount
  }

  protected figures({ labels, count }: Cell) {
    return [{ labels, value: count }]
  }
}

/** Counts how long things take. */
export class Durations extends Instrument {
  protected readonly type = 'histogram'
  readonly #bounds: readonly number[]

  /** @param bounds of the buckets, in seconds, from the lowest on */
  constructor(registry: Registry, about: About, bounds: readonly number[]) {
    super(registry, about)
    this.#bounds = bounds
  }

  observe(values: readonly Value[], seconds: number): void {
    const bounds = this.#bounds
    const cell = this.cell(values, bounds.length)
    cell.count += 1
    cell.sum += seconds
    let bucket = 0
    while (bucket < bounds.length && seconds > (bounds[bucket] ?? 0)) bucket++
    if (bucket < bounds.length) cell.buckets[bucket] = (cell.buckets[bucket] ?? 0) + 1
  }

  /** Tells how often something was timed as a counter, too: it is known here anyway. */
  tellCount(registry: Registry, { name, help }: Pick<About, 'name' | 'help'>): void {
    const values = () => this.cells.map(({ labels, count }) => ({ labels, value: count }))
    const get = () => ({ name, help, type: 'counter', aggregator: 'sum', values: values() })
    // As above.
    registry.registerMetric({ name, get } as unknown as Metric)
  }

  protected figures({ labels, buckets, count, sum }: Cell) {
    let below = 0
    const metricName = `${this.name}_bucket`
    const bounded = this.#bounds.map((bound, index) => {
      below += buckets[index] ?? 0
      return { metricName, labels: { ...labels, le: bound }, value: below }
    })
    return [
      ...bounded,
      { metricName, labels: { ...labels, le: '+Inf' }, value: count },
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: count },
    ]
  }
}
