import type { AppFigure } from '@strongroom/fastify'
import { driftScans, incidents, readings } from './accessors.ts'

const system = { access: 'system' } as const

/** The figures of models, pipelines and incidents for `/metrics`, read from the database: all instances tell the same. */
export const figures: readonly AppFigure[] = [
  reading('ml_model_accuracy_ratio', 'accuracy', 'model', 'The share of right predictions, by model, as it was last reported.'),
  reading('ml_prediction_cost_dollars', 'cost', 'model', 'What a thousand predictions cost, by model, as it was last reported.'),
  reading('ml_pipeline_last_success_timestamp_seconds', 'pipeline', 'pipeline', 'When a pipeline last ended well.'),
  drift(
    'ml_feature_drift_ratio',
    'deviation',
    'How far the mean of a feature is from that of the reference, as a share of it, in the last scan.',
  ),
  drift('ml_feature_psi', 'psi', 'The population stability index of a feature in the last scan.'),
  {
    name: 'ml_open_incidents',
    help: 'Incidents that are not resolved, by severity.',
    type: 'gauge',
    labelNames: ['severity'],
    read: async () => {
      const where = { status: { notIn: ['resolved', 'closed'] } } as const
      const counted = await incidents.aggregate({ groupBy: ['severity'], measures: ['count'], where, ...system })
      const bySeverity = new Map(counted.map(({ severity, count }) => [severity, count]))
      return (['sev1', 'sev2', 'sev3', 'sev4'] as const).map((severity) => ({ labels: { severity }, value: bySeverity.get(severity) ?? 0 }))
    },
  },
]

function reading(name: string, kind: 'accuracy' | 'cost' | 'pipeline', label: string, help: string): AppFigure {
  return {
    name,
    help,
    type: 'gauge',
    labelNames: [label],
    read: async () =>
      (await readings.find({ where: { kind }, ...system })).map(({ subject, value }) => ({ labels: { [label]: subject }, value })),
  }
}

function drift(name: string, measure: 'deviation' | 'psi', help: string): AppFigure {
  return {
    name,
    help,
    type: 'gauge',
    labelNames: ['model', 'feature'],
    read: async () => {
      const newest = await driftScans.aggregate({ groupBy: ['ml_model'], measures: ['max:id'], ...system })
      const ids = newest.flatMap(({ max_id }) => max_id ?? [])
      const scans = await driftScans.find({ where: { id: { in: ids } }, fields: ['ml_model', 'found'], ...system })
      return scans.flatMap(({ ml_model, found }) =>
        found.map((drift) => ({ labels: { model: ml_model, feature: drift.feature }, value: drift[measure] ?? Number.POSITIVE_INFINITY })),
      )
    },
  }
}
