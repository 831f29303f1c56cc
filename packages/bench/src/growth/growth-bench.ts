import { mkdirSync, writeFileSync } from 'node:fs'
import { commit, evidenceFile, readEvidence, writeEvidence } from '../evidence.ts'
import type { Axis, AxisName, AxisOptions } from './axis.ts'
import { connectionsAxis } from './connections-axis.ts'
import { modelsAxis } from './models-axis.ts'
import { plot } from './plot.ts'
import { rowsAxis } from './rows-axis.ts'

export const axes = {
  rows: { measure: rowsAxis, most: 10_000_000 },
  connections: { measure: connectionsAxis, most: 256 },
  models: { measure: modelsAxis, most: 100 },
} as const

export interface GrowthOptions extends Omit<AxisOptions, 'most'> {
  /** All of them unless some are named. */
  readonly axes: readonly AxisName[]
  /** The last point of the axis, where it is not to be the usual one: then nothing is written. */
  readonly most: number | undefined
}

type AxisEvidence = Axis & {
  readonly commit: string
  readonly date: string
  readonly roundsAsked: number
  readonly roundsDone: number
  readonly silentRounds: number
  readonly seconds: number
}

/** What things cost where there is more of something, along one axis after the other. Each axis is written down as soon as it is measured, with its chart. */
export async function growthBench(folder: string, options: GrowthOptions): Promise<void> {
  mkdirSync(folder, { recursive: true })
  for (const name of options.axes) {
    const started = Date.now()
    const { measure, most } = axes[name]
    options.report(`${name}:`)
    const axis = await measure(folder, { ...options, most: options.most ?? most })
    for (const { what, verdict, ratio } of axis.curves) if (verdict === 'missed') options.report(`MISSED ${what}: ${ratio}`)
    // What is not the whole axis, or was measured beside other programs to find out why, is no evidence.
    if (options.most === undefined && !options.keepAll) keep(axis, started, options.rounds)
  }
}

function keep(axis: Axis, started: number, roundsAsked: number): void {
  // This function wrote it.
  const earlier = readEvidence('growth') as { readonly axes?: Partial<Record<AxisName, AxisEvidence>> } | undefined
  const evidence: AxisEvidence = {
    commit: commit(),
    date: new Date(started).toISOString(),
    roundsAsked,
    roundsDone: Math.min(...axis.curves.map(({ rounds }) => rounds)),
    silentRounds: Math.min(...axis.curves.map(({ silentRounds }) => silentRounds)),
    seconds: Math.round((Date.now() - started) / 1_000),
    ...axis,
  }
  writeEvidence('growth', started, { engine: 'sqlite', axes: { ...earlier?.axes, [axis.axis]: evidence } })
  writeFileSync(evidenceFile(`growth-${axis.axis}`, 'svg'), chart(axis))
}

function chart({ what, points, curves }: Axis): string {
  return plot({
    title: `What more ${what.split(',')[0]} cost`,
    across: what,
    upwards: 'µs of processor time for one operation (dashes: has more to do the more there is)',
    points,
    lines: curves
      .filter(({ unit }) => unit.startsWith('µs'))
      .map(({ what: label, values, mustGrow }) => ({
        label: label.replace(/, in the middle.*/, ''),
        values,
        dashed: mustGrow,
      })),
  })
}
