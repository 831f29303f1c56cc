import { Type } from 'typebox'
import { defineSystemModel } from '../model/define-model.ts'
import { DateTime } from '../model/field-types.ts'

/** Counters that all processes on this database share, each until its period ends. */
export const Counters = defineSystemModel(
  'strongroom_counters',
  { total: Type.Integer(), ends_at: DateTime() },
  { id: { name: 'name', type: 'text' }, indexes: [['ends_at']] },
)
