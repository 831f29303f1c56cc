import { createRequire } from 'node:module'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import type * as SpectralCore from '@stoplight/spectral-core'
import type { RuleDefinition } from '@stoplight/spectral-core'
import { checkOnce } from './check-once.ts'

// They are CommonJS, and their types for modules name files that are not there.
const require = createRequire(import.meta.url)
const { Spectral } = require('@stoplight/spectral-core') as typeof SpectralCore
const { oas } = require('@stoplight/spectral-rulesets') as { oas: { rules: Record<string, RuleDefinition> } }

/** What Redocly minds. */
export async function redoclyFaults(document: object): Promise<string[]> {
  const config = await createConfig({ extends: ['recommended'] })
  const problems = await lintFromString({ source: JSON.stringify(document), config })
  return problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0]?.pointer ?? ''}`)
}

const spectral = new Spectral()
spectral.setRuleset({
  extends: [[oas, 'recommended']],
  rules: {
    // Whom to ask about a server is known to those who run it, and not to the library that describes it.
    'info-contact': 'off',
    ...checkOnce(oas.rules, ['oas3-valid-media-example', 'oas3-valid-schema-example']),
  },
})

/** What Spectral minds. */
export async function spectralFaults(document: Record<string, unknown>): Promise<string[]> {
  const findings = await spectral.run(document)
  return findings.map(({ code, message, path }) => `${String(code)}: ${message} at ${path.join('/')}`)
}
