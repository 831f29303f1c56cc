import type { TSchema } from 'typebox'

/** A schema as it is published: TypeBox's marks left out, a RegExp as its text. */
export function publishedSchema(schema: TSchema): TSchema {
  const published = withoutMarks(schema)
  // A reference inside points to the schema's own root, which is another one in the published document.
  return JSON.stringify(published).includes('"$ref":') ? {} : (published as TSchema)
}

function withoutMarks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMarks)
  if (value instanceof RegExp) return value.source
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'object' || value === null) return value
  const clean: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(value)) {
    // JSON Schema has no flags: a pattern that folds case would refuse there what it accepts here.
    const inexact = key === 'pattern' && member instanceof RegExp && /[^uvgyd]/.test(member.flags)
    if (!key.startsWith('~') && member !== undefined && !inexact) clean[key] = withoutMarks(member)
  }
  return clean
}
