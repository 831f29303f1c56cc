import { ModelAccessor, type RowOf, ValidationError } from '@strongroom/core'
import { type FeatureDrift, scanDrift } from './drift/scan.ts'
import { DriftScan, Incident, Reading, TimelineEntry, User } from './models.ts'

export const users = new ModelAccessor(User, 'users')
export const incidents = new ModelAccessor(Incident, 'incidents')
export const timeline = new ModelAccessor(TimelineEntry, 'timeline_entries')
export const readings = new ModelAccessor(Reading, 'readings')
export const driftScans = new ModelAccessor(DriftScan, 'drift_scans')

/** The hooks write for the application: whoever changes an incident need not be allowed to write these entries. */
const system = { access: 'system' } as const
const over = ['resolved', 'closed'] as const

incidents.beforeUpdate(({ record, previous }) => {
  const isOver = record.status === 'resolved' || record.status === 'closed'
  record.resolved_at = isOver ? (previous?.resolved_at ?? new Date()) : null
})

incidents.afterInsert(async ({ record }) => {
  await timeline.insert({ incident_id: record.id, kind: 'status', text: `Opened as ${record.severity}: ${record.title}` }, system)
})

incidents.afterUpdate(async ({ record, previous }) => {
  const entries = []
  if (previous && record.status !== previous.status)
    entries.push({ kind: 'status' as const, text: `${previous.status} to ${record.status}` })
  if (previous && record.assignee_id !== previous.assignee_id) {
    const assignee = record.assignee_id === null ? null : await users.get(record.assignee_id, system)
    entries.push({ kind: 'assignment' as const, text: assignee ? `Assigned to ${assignee.name ?? assignee.email}` : 'Assigned to nobody' })
  }
  await timeline.insertMany(
    entries.map((entry) => ({ ...entry, incident_id: record.id })),
    system,
  )
})

driftScans.beforeInsert(async ({ record }) => {
  const missing = Object.keys(record.reference).filter((feature) => !(feature in record.current))
  if (missing.length > 0)
    throw new ValidationError(missing.map((feature) => ({ path: `current.${feature}`, message: 'is in the reference, and missing here' })))
  const found = scanDrift(record.reference, record.current, { deviation: record.deviation_threshold, psi: record.psi_threshold })
  // JSON has no infinity: a mean that left 0 is as far away as can be
  record.found = found.map((drift) => ({ ...drift, deviation: Number.isFinite(drift.deviation) ? drift.deviation : null }))
  const drifted = found.filter((drift) => drift.drifted)
  record.drifted = drifted.length > 0
  record.incident_id = record.drifted ? (await reportDrift(record, drifted)).id : null
})

/** Opens an incident in the transaction of the scan, or adds to the one that is open for the model. */
async function reportDrift({ ml_model }: RowOf<typeof DriftScan>, drifted: readonly FeatureDrift[]): Promise<RowOf<typeof Incident>> {
  const where = { ml_model, source: 'drift', status: { notIn: over } } as const
  const incident =
    (await incidents.findOne({ where, ...system })) ??
    (await incidents.insert({ title: `Features of ${ml_model} drift`, ml_model, severity: 'sev2', source: 'drift' }, system))
  const listed = drifted
    .slice(0, 10)
    .map(({ feature, deviation, psi }) => `${feature} (deviation ${deviation.toFixed(3)}, PSI ${psi.toFixed(3)})`)
  const more = drifted.length > listed.length ? ` and ${drifted.length - listed.length} more` : ''
  await timeline.insert({ incident_id: incident.id, kind: 'drift', text: `Drifted: ${listed.join(', ')}${more}` }, system)
  return incident
}
