import { accountFields, accountOptions } from '@strongroom/auth'
import { DateTime, Default, defineModel, Json, Ref } from '@strongroom/core'
import { Type } from 'typebox'

const Name = Type.String({ minLength: 1, maxLength: 200 })
const Text = Type.Optional(Type.String({ maxLength: 20_000 }))

/** `roles`: admin, responder (works on incidents), monitor (reports readings and scans), viewer. */
export const User = defineModel('users', accountFields, { ...accountOptions, stamps: true })

/** Something is wrong with a model that people rely on. */
export const Incident = defineModel(
  'incidents',
  {
    title: Name,
    description: Text,
    ml_model: Name,
    severity: Type.Enum(['sev1', 'sev2', 'sev3', 'sev4']),
    status: Default(Type.Enum(['open', 'investigating', 'mitigated', 'resolved', 'closed']), 'open'),
    source: Default(Type.Enum(['person', 'drift']), 'person'),
    assignee_id: Type.Optional(Ref(() => User, { onDelete: 'setNull' })),
    resolved_at: Type.Optional(DateTime()),
  },
  {
    softDelete: true,
    stamps: true,
    readOnly: ['resolved_at', 'source'],
    immutable: ['ml_model'],
    indexes: [
      ['status', 'severity'],
      ['ml_model', 'status'],
      ['assignee_id', 'status'],
    ],
    transitions: {
      status: {
        open: ['investigating', 'closed'],
        investigating: ['mitigated', 'resolved', 'closed'],
        mitigated: ['investigating', 'resolved'],
        resolved: ['investigating', 'closed'],
        closed: [],
      },
    },
  },
)

/** What happened in an incident: notes of people, and what the hooks write down. */
export const TimelineEntry = defineModel(
  'timeline_entries',
  {
    incident_id: Ref(() => Incident, { onDelete: 'cascade' }),
    kind: Default(Type.Enum(['note', 'status', 'assignment', 'drift']), 'note'),
    text: Type.String({ minLength: 1, maxLength: 20_000 }),
  },
  { stamps: true, readOnly: ['kind'], immutable: ['incident_id', 'text'], indexes: [['incident_id', 'id']] },
)

/** The latest value of something that is measured of a model or pipeline; those before it are in the history. */
export const Reading = defineModel(
  'readings',
  {
    kind: Type.Enum(['accuracy', 'cost', 'pipeline']),
    subject: Name,
    /** A share for accuracy, dollars for cost, seconds since 1970 for the last end of a pipeline. */
    value: Type.Number(),
  },
  { id: { name: 'key', type: 'text', maxLength: 100 }, stamps: true, unique: [['kind', 'subject']], immutable: ['kind', 'subject'] },
)

const Features = Json(
  Type.Record(Type.String({ maxLength: 200 }), Type.Array(Type.Number(), { minItems: 1, maxItems: 10_000 }), { maxProperties: 500 }),
)
const FoundDrift = Type.Object({
  feature: Type.String(),
  deviation: Type.Union([Type.Number(), Type.Null()]),
  psi: Type.Number(),
  drifted: Type.Boolean(),
})

/** A comparison of a model's features with those that it was trained on; the server fills in what it found. */
export const DriftScan = defineModel(
  'drift_scans',
  {
    ml_model: Name,
    reference: Features,
    current: Features,
    deviation_threshold: Default(Type.Number({ exclusiveMinimum: 0 }), 0.2),
    psi_threshold: Default(Type.Number({ exclusiveMinimum: 0 }), 0.25),
    found: Default(Json(Type.Array(FoundDrift)), []),
    drifted: Default(Type.Boolean(), false),
    incident_id: Type.Optional(Ref(() => Incident, { onDelete: 'setNull' })),
  },
  {
    stamps: true,
    readOnly: ['found', 'drifted', 'incident_id'],
    immutable: ['ml_model', 'reference', 'current', 'deviation_threshold', 'psi_threshold'],
    indexes: [['ml_model', 'id']],
  },
)
