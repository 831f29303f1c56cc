import type { RuleDefinition } from '@stoplight/spectral-core'

type Then = Exclude<RuleDefinition['then'], readonly unknown[]>
type Check = Then['function']

/**
 * Rules of Spectral that hold examples against their schemas, each for things that are alike once.
 *
 * They compile the schema anew wherever an example stands, and documents are full of places that say the same. What a rule had no fault
 * to find with is not looked at again where it stands once more, in another document too.
 */
export function checkOnce(rules: Readonly<Record<string, RuleDefinition>>, names: readonly string[]): Record<string, RuleDefinition> {
  return Object.fromEntries(
    names.map((name) => {
      const rule = rules[name]
      if (!rule || Array.isArray(rule.then)) throw new Error(`Spectral has no rule ${name} with one function.`)
      // biome-ignore lint/suspicious/noThenProperty: it is what Spectral calls it
      return [name, { ...rule, then: { ...rule.then, function: withMemory(rule.then.function) } }]
    }),
  )
}

function withMemory(check: Check): Check {
  const faultless = new Set<string>()
  return (found: unknown, options: unknown, context) => {
    // what has to be in a request and in an answer is not the same: see readOnly and writeOnly
    const place = ['requestBody', 'requestBodies', 'responses'].filter((word) => context.path.includes(word))
    const text = JSON.stringify([place, found])
    if (faultless.has(text)) return []
    const faults = check(found, options, context)
    if (faults === undefined || (Array.isArray(faults) && faults.length === 0)) faultless.add(text)
    return faults
  }
}
