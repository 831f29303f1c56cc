import { Type } from 'typebox'
import { defineSystemModel } from '../model/define-model.ts'
import { DateTime, Json } from '../model/field-types.ts'

/**
 * What is remembered of the tables of models: which kinds of values they hold, where a database has one type for several, and what this
 * library made itself.
 */
export const TableRecords = defineSystemModel(
  'strongroom_tables',
  { definition: Json(), changed_at: DateTime() },
  { id: { name: 'name', type: 'text' } },
)

/**
 * What has changed the tables of models. `migration`: a file that was run; `automatic`: what a start did by itself; `contained`: a file
 * that was there already when the tables were made, and was not run.
 */
export const MigrationRecords = defineSystemModel(
  'strongroom_migrations',
  {
    kind: Type.Enum(['migration', 'automatic', 'contained']),
    /** SHA-256 of the file, in hexadecimal. */
    checksum: Type.Optional(Type.String()),
    /** What was done, a sentence for each. */
    changes: Json(Type.Array(Type.String())),
    actor: Type.String(),
    applied_at: DateTime(),
    /** In which order. */
    position: Type.Integer(),
  },
  { id: { name: 'name', type: 'text' } },
)
