import fc from 'fast-check'
import { Check } from 'typebox/value'
import { expect, test } from 'vitest'
import { fits } from '../src/settings/fits.ts'
import { settingNames, settingRow } from '../src/settings/settings-table.ts'

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: fc.constantFrom('a', '1', '.', ':', '/', '*', ',', ' ', '@', 'é', '😀', '\n'), maxLength: 210 }),
  fc.constantFrom('info', 'silent', 'sqlite:./a.db', 'https://app.example.com', '*', 'a@b', '-----BEGIN ', 'loopback, 10.0.0.0/8'),
)
const anyNumber = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, -0, 1, 60, 65_535, 65_536, 1e9, 1e9 + 1, 1.5))
const anyValue = fc.oneof(anyText, anyNumber, fc.array(anyText), fc.anything())

test.for(settingNames)('what fits %s is what TypeBox lets through', (name) => {
  const { schema } = settingRow(name)
  fc.assert(
    fc.property(anyValue, (value) => {
      expect(fits(schema, value)).toBe(Check(schema, value))
    }),
    { numRuns: Number(process.env['RUNS'] ?? 300) },
  )
})
