import { describe, expect, test } from 'vitest'
import { type EngineTest, engineTest, parityFaults, parityLine } from '../src/engine-parity.ts'

function read(...rows: [titles: string[], skipped?: boolean][]): EngineTest[] {
  return rows.map(([titles, skipped]) => engineTest('a.test.ts', titles, skipped ?? false)).filter((found) => found !== undefined)
}

describe('the parity of engines', () => {
  test('is given when every test runs on both', () => {
    const tests = read([['insert [sqlite]', 'gives the row']], [['insert [postgres]', 'gives the row']])
    expect(parityFaults(tests)).toEqual([])
    expect(parityLine(tests)).toBe('sqlite: 1 tests, postgres: 1 tests')
  })

  test('does not concern tests outside the engines', () => {
    expect(engineTest('a.test.ts', ['canonical JSON', 'sorts keys'], false)).toBeUndefined()
  })

  test('is broken by a test that only one engine has', () => {
    const tests = read([['insert [sqlite]', 'gives the row']], [['insert [postgres]', 'gives the rows']])
    expect(parityFaults(tests)).toEqual(
      [
        'on sqlite only, and no capability says why: a.test.ts > insert > gives the row',
        'on postgres only, and no capability says why: a.test.ts > insert > gives the rows',
      ].toReversed(),
    )
  })

  test('counts tests of one name, so that a second one is missed too', () => {
    const tests = read([['insert [sqlite]', 'same']], [['insert [sqlite]', 'same']], [['insert [postgres]', 'same']])
    expect(parityFaults(tests)).toEqual(['on sqlite only, and no capability says why: a.test.ts > insert > same'])
  })

  test('accepts a test that needs what the other engine lacks', () => {
    expect(parityFaults(read([['insert [sqlite]', 'needs pragmas', 'is synchronous']]))).toEqual([])
    expect(parityFaults(read([['insert [postgres]', 'needs sessions', 'survives']]))).toEqual([])
  })

  test('does not accept a capability that the other engine has as well', () => {
    expect(parityFaults(read([['insert [postgres]', 'needs pragmas', 'is synchronous']]))).toHaveLength(1)
  })

  test('is broken by a skipped test', () => {
    const tests = read([['insert [sqlite]', 'gives the row'], true], [['insert [postgres]', 'gives the row'], true])
    expect(parityFaults(tests)).toHaveLength(2)
    expect(parityLine(tests)).toBe('sqlite: 0 tests, postgres: 0 tests')
  })
})
