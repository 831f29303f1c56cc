import { Type } from 'typebox'
import { defineSystemModel } from '../model/define-model.ts'
import { DateTime } from '../model/field-types.ts'

/** Scheduled backups, one row for each try. The newest one, where it has not finished, is who makes a backup now, and until when that holds. */
export const BackupRecords = defineSystemModel('strongroom_backups', {
  name: Type.String(),
  place: Type.String(),
  started_at: DateTime(),
  finished_at: Type.Optional(DateTime()),
  bytes: Type.Optional(Type.Integer()),
  verified: Type.Optional(Type.Boolean()),
  error: Type.Optional(Type.String()),
  owner: Type.String(),
  lease_until: DateTime(),
})
