import { relativeMeanDeviation } from './deviation.ts'
import { countBins, populationStabilityIndex, quantileEdges } from './psi.ts'

/** Values of features by their names. */
export type FeatureValues = Readonly<Record<string, readonly number[]>>

/** From where on a feature has drifted. */
export interface DriftThresholds {
  /** Of the relative mean deviation. */
  readonly deviation: number
  /** Of the population stability index, over ten bins of the reference. */
  readonly psi: number
}

export interface FeatureDrift {
  readonly feature: string
  readonly deviation: number
  readonly psi: number
  readonly drifted: boolean
}

const bins = 10

/** Compares each feature of the reference with its current values; those that drifted most stand first. A feature without current values has none to compare. */
export function scanDrift(reference: FeatureValues, current: FeatureValues, thresholds: DriftThresholds): FeatureDrift[] {
  const found = Object.entries(reference).flatMap(([feature, before]) => {
    const now = current[feature]
    if (!now || now.length === 0 || before.length === 0) return []
    const edges = quantileEdges(before, bins)
    const psi = populationStabilityIndex(countBins(before, edges), countBins(now, edges))
    const deviation = relativeMeanDeviation(before, now)
    return [{ feature, deviation, psi, drifted: deviation >= thresholds.deviation || psi >= thresholds.psi }]
  })
  return found.toSorted((a, b) => b.psi - a.psi)
}
