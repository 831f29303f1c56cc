import type { MigrationDatabase, SchemaEditor } from '@strongroom/core'

export async function up(_db: MigrationDatabase, schema: SchemaEditor): Promise<void> {
  // risks.likelihood is missing; the model wants TEXT.
  await schema.alterTable('risks', {
    addFields: { likelihood: { type: 'text', values: ['rare', 'possible', 'likely'], fill: 'possible' } },
  })
}

export async function down(_db: MigrationDatabase, schema: SchemaEditor): Promise<void> {
  await schema.alterTable('risks', { dropFields: { likelihood: { type: 'text', values: ['rare', 'possible', 'likely'] } } })
}
