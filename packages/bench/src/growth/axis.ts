import type { RoundOptions } from '../beside-hand/rounds.ts'
import type { Curve } from './curve.ts'

export type AxisName = 'rows' | 'connections' | 'models'

/** What was found along one axis, everything else being equal. */
export interface Axis {
  readonly axis: AxisName
  /** What there is more of at each point. */
  readonly what: string
  readonly points: readonly number[]
  /** The point that the last one is held against. */
  readonly against: number
  readonly curves: readonly Curve[]
}

export interface AxisOptions extends RoundOptions {
  /** The last point of the axis. */
  readonly most: number
  readonly report: (line: string) => void
}
