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
