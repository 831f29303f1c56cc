import fc from 'fast-check'
import { expect, test } from 'vitest'
import { instantText, readInstantText } from '../../src/model/instant-text.ts'

const instants = fc.date({ min: new Date('0001-01-01T00:00:00.000Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })

test('the text of an instant is read as the same instant', () => {
  fc.assert(
    fc.property(instants, (instant) => {
      expect(readInstantText(instantText(instant))).toEqual(instant)
    }),
    {
      numRuns: 2_000,
      examples: [[new Date('0001-01-01T00:00:00.000Z')], [new Date('0099-12-31T23:59:59.999Z')], [new Date('2024-02-29T00:00:00Z')]],
    },
  )
})

test('an instant has its own text, whichever were written before', () => {
  // So few that they come again, with others of the same place in between.
  const few = fc.tuple(fc.integer({ min: -3, max: 3 }), fc.nat(3)).map(([turns, step]) => new Date(turns * 256 + step))
  fc.assert(
    fc.property(fc.array(fc.oneof(few, instants), { maxLength: 40 }), (written) => {
      expect(written.map(instantText)).toEqual(written.map((instant) => instant.toISOString()))
    }),
  )
  expect(() => instantText(new Date(Number.NaN))).toThrow(RangeError)
})

test('a text that somebody else has written is what new Date makes of it', () => {
  const character = fc.constantFrom(...'0123456789:-+TtZz./ a\u0000é')
  const changes = fc.array(fc.tuple(fc.nat(23), character), { maxLength: 3 })
  const texts = fc.tuple(instants, changes, fc.constantFrom(23, 24)).map(([instant, changed, length]) => {
    const letters = [...instantText(instant)]
    for (const [at, letter] of changed) letters[at] = letter
    return letters.slice(0, length).join('')
  })
  fc.assert(
    fc.property(texts, (text) => {
      expect(readInstantText(text).getTime()).toBe(new Date(text).getTime())
    }),
    {
      numRuns: 5_000,
      examples: [
        ['2026-02-31T00:00:00.000Z'],
        ['2026-13-01T00:00:00.000Z'],
        ['2026-01-01T24:00:00.000Z'],
        ['2026-01-01 00:00:00.000Z'],
        [''],
      ],
    },
  )
})
