import type { Field } from '../../model/model.ts'

/** Characters of a list of choices; the whole of it would make its table wider than all others. */
const longestChoices = 36

/** The type of a field as people say it: `text(200)`, `decimal(8, 2)`, `open | closed`. */
export function typeWords(field: Field): string {
  if (field.values) return choiceWords(field.values)
  if (field.precision !== undefined) return `${field.kind}(${field.precision}, ${field.scale ?? 0})`
  // The length of an id is the library's, and says nothing of the model.
  if (field.maxLength !== undefined && field.role === 'data' && !field.reference) return `${field.kind}(${field.maxLength})`
  return field.kind
}

/** As many of the choices as there is room for. */
function choiceWords(values: readonly (string | number)[]): string {
  const all = values.map(String)
  let words = ''
  for (const [index, value] of all.entries()) {
    const longer = index === 0 ? value : `${words} | ${value}`
    const rest = all.length - index
    if (longer.length > longestChoices) return index === 0 ? `${rest} ${rest === 1 ? 'choice' : 'choices'}` : `${words} | … ${rest} more`
    words = longer
  }
  return words
}
