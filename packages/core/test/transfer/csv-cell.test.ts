import { stringify } from 'csv-stringify/sync'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { harmlessCell, textCell } from '../../src/transfer/export/csv-cell.ts'

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', '=', '+', '-', '@', '\t', '＝', '＋', '－', '＠', "'", ' ', 'a', 'é') }),
)

const asCsvStringify = (text: string, spreadsheet: boolean): string =>
  stringify([[text]], { eof: false, record_delimiter: '\r\n', quoted_match: /^$|[\r\n]/, escape_formulas: spreadsheet })

test('texts are written as csv-stringify writes them, letter by letter', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(textCell(text)).toBe(asCsvStringify(text, false))
      expect(harmlessCell(text)).toBe(asCsvStringify(text, true))
    }),
    { numRuns: Number(process.env['RUNS'] ?? 2_000) },
  )
})
