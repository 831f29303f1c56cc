import type { Snapshot, Statement, StoredRow } from '../engine/engine.ts'

/** How the entries with a place are read, as another thread is asked for it. Parameters are given where they are read. */
export type PlacedReading =
  /** By an index of positions. */
  | { readonly by: 'position'; readonly all: Statement }
  /** Where positions have no index of their own, piece by piece. */
  | {
      readonly by: 'component'
      /** The component after one. */
      readonly nextComponent: string
      /** The first position of a component from one on. */
      readonly firstPosition: string
      /** Entries whose ids are their positions, from one to another. */
      readonly straight: string
      /** Those of a component whose ids are others. */
      readonly strayed: string
    }

/** Positions that are read at a time where some entries have other ids: these are sorted in memory. */
const pieceSize = 1_000

/** All entries with a place, by position, in batches. */
export async function* placedEntries(snapshot: Snapshot, reading: PlacedReading, mostRows: number): AsyncGenerator<StoredRow[]> {
  if (reading.by === 'position') {
    yield* snapshot.stream(reading.all, mostRows)
    return
  }
  const components = await componentsIn(snapshot, reading.nextComponent)
  for (let from = Number.NEGATIVE_INFINITY; ; ) {
    const firsts: number[] = []
    for (const component of components)
      for (const { seq } of await rowsOf(snapshot, reading.firstPosition, [component, from])) firsts.push(Number(seq))
    if (firsts.length === 0) return
    const start = Math.min(...firsts)
    from = endOf(start)
    const strayed: StoredRow[] = []
    for (const component of components) strayed.push(...(await rowsOf(snapshot, reading.strayed, [component, start, from])))
    const straight = { sql: reading.straight, parameters: [start, from] }
    if (strayed.length === 0) yield* snapshot.stream(straight, mostRows)
    else {
      const rows = [...(await rowsOf(snapshot, straight.sql, straight.parameters)), ...strayed]
      yield rows.sort((one, other) => Number(one['seq']) - Number(other['seq']))
    }
  }
}

/** Where the piece that begins at a position ends. Nobody was given those that numbers are too coarse for: there may be forged ones, and few. */
function endOf(start: number): number {
  const end = start + pieceSize
  if (Number.isSafeInteger(end)) return end
  return start < 0 ? Number.MIN_SAFE_INTEGER : Number.POSITIVE_INFINITY
}

async function componentsIn(snapshot: Snapshot, sql: string): Promise<string[]> {
  // None has an empty name; a forged entry may.
  const components = ['']
  for (;;) {
    const [row] = await rowsOf(snapshot, sql, [components.at(-1)])
    if (!row) return components
    components.push(String(row['component']))
  }
}

async function rowsOf(snapshot: Snapshot, sql: string, parameters: readonly unknown[]): Promise<StoredRow[]> {
  const rows: StoredRow[] = []
  for await (const batch of snapshot.stream({ sql, parameters }, pieceSize)) rows.push(...batch)
  return rows
}
