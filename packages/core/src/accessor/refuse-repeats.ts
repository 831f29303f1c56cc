import { UsageError } from '../errors.ts'

/** What two accessors must not share. */
interface Named {
  readonly component: string
  readonly model: { readonly name: string }
}

/** Throws UsageError `invalid_options` where two accessors have one component or one table. */
export function refuseRepeats(accessors: readonly Named[]): void {
  const components = new Set<string>()
  const tables = new Map<string, string>()
  for (const { component, model } of accessors) {
    if (components.has(component)) refuse(`Two accessors are called "${component}". Give each component a name of its own.`)
    const other = tables.get(model.name.toLowerCase())
    if (other !== undefined)
      refuse(`${other} and ${component} both keep their records in the table "${model.name}". Give each model a table of its own.`)
    components.add(component)
    tables.set(model.name.toLowerCase(), component)
  }
}

function refuse(sentence: string): never {
  throw new UsageError('invalid_options', sentence)
}
