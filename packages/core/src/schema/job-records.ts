import { Type } from 'typebox'
import { defineSystemModel } from '../model/define-model.ts'
import { DateTime, Json } from '../model/field-types.ts'

/** Long work that goes on by itself. While it runs its owner renews the lease; one whose lease has lapsed has lost its owner. */
export const JobRecords = defineSystemModel(
  'strongroom_jobs',
  {
    kind: Type.String(),
    state: Type.String(),
    actor: Type.String(),
    request_id: Type.Optional(Type.String()),
    started_at: DateTime(),
    finished_at: Type.Optional(DateTime()),
    progress: Json(),
    result: Type.Optional(Json()),
    error: Type.Optional(Json()),
    owner: Type.String(),
    lease_until: DateTime(),
    cancel_requested: Type.Boolean(),
  },
  { id: 'uuid' },
)
