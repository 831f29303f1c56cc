import type { WireSchema } from './route.ts'

/** An object of exactly these members. */
export function closed(properties: Readonly<Record<string, WireSchema>>, required = Object.keys(properties)): WireSchema {
  return { type: 'object', additionalProperties: false, required, properties }
}
