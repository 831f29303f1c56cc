import { Type } from 'typebox'
import { defineSystemModel } from '../model/define-model.ts'
import { DateTime } from '../model/field-types.ts'

/** Answers that a repeated request gets again. The id is a digest of everything that tells one request from another. */
export const KeptAnswers = defineSystemModel(
  'strongroom_kept_answers',
  {
    /** A digest of what was asked: the same key with another question is a mistake of the client. */
    fingerprint: Type.String(),
    /** Null while the first request is under way. */
    answer: Type.Optional(Type.String()),
    kept_at: DateTime(),
    /** Whose the answer is; null for everybody who belongs to no tenant. */
    tenant: Type.Optional(Type.String()),
  },
  { id: { name: 'request', type: 'text' }, indexes: [['kept_at']] },
)
