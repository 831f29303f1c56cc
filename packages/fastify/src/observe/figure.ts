/** A figure that a part of the server has beside ours, for `/metrics`. */
export interface Figure {
  /** `strongroom_…`, with its unit; of a counter with `_total` at the end. */
  readonly name: `strongroom_${string}`
  /** What it says, in a sentence. */
  readonly help: string
  /** A counter only grows; a gauge goes up and down. */
  readonly type: 'counter' | 'gauge'
  /** Reads it, whenever somebody asks. It has to be quick. */
  readonly read: () => number
}

/** One of the values of a figure that has labels. */
export interface LabelledValue {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A figure of the program's own for `/metrics`, such as how many orders wait. */
export interface AppFigure {
  /** With its unit, as Prometheus has it: `shop_waiting_orders`; of a counter with `_total` at the end. What begins with `strongroom_`, `http_`, `process_` or `nodejs_` is taken. */
  readonly name: string
  /** What it says, in a sentence. */
  readonly help: string
  /** A counter only grows; a gauge goes up and down. */
  readonly type: 'counter' | 'gauge'
  /** The names of its labels; none unless said. */
  readonly labelNames?: readonly string[]
  /**
   * Reads it whenever somebody asks for the metrics: one value, or one for each combination of labels. It may ask the database, and has to be
   * quick. One that throws is absent from the answer, and logged.
   */
  readonly read: () => number | readonly LabelledValue[] | Promise<number | readonly LabelledValue[]>
}
