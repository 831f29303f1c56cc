import { listOperators, listParameters } from '@strongroom/contract'
import type { AnyModel } from '@strongroom/core'

/** How fields are compared, for people; each comparison of each field as a parameter would hide the rest. */
export const filterSentence = `Conditions: \`field=value\`, and \`field[operator]=value\` with ${listOperators.map((name) => `\`${name}\``).join(', ')}. All must hold. A plain key twice means in.`

/** A parameter for each field that can be compared. */
export function filterParameters(model: AnyModel): readonly Readonly<Record<string, unknown>>[] {
  const reserved: readonly string[] = listParameters
  return model.fields
    .filter((field) => !field.hidden && !field.secret && field.kind !== 'json')
    .map(({ name, schema }) => ({
      name: reserved.includes(name) ? `${name}[eq]` : name,
      in: 'query',
      description: `Records with this ${name}; several times for any of several.`,
      explode: true,
      schema: { type: 'array', items: schema },
    }))
}
