import { defineModel, ModelAccessor, type Where } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import fc from 'fast-check'
import { Type } from 'typebox'
import { beforeAll, describe, expect, test } from 'vitest'
import { fold } from '../src/engine/fold.ts'
import { rejectionOf, storagesOn } from './support.ts'

const Word = defineModel('words', { text: Type.Optional(Type.String()), number: Type.Integer() })

/** Characters that text searches get wrong: patterns, accents, all the sigmas, letters past the first plane, the ends of ranges. */
const characters = [
  'a',
  'A',
  'é',
  'É',
  'ß',
  'ẞ',
  'σ',
  'ς',
  'Σ',
  'ı',
  'I',
  'i',
  '%',
  '_',
  '\\',
  "'",
  '*',
  '[',
  '𐐀',
  '𐐨',
  '😀',
  '\uD7FF',
  '\uE000',
  '\u{10FFFF}',
  ' ',
]
const anyText = fc.array(fc.constantFrom(...characters), { maxLength: 6 }).map((parts) => parts.join(''))
const matchers: Record<string, (text: string, part: string) => boolean> = {
  contains: (text, part) => text.includes(part),
  startsWith: (text, part) => text.startsWith(part),
  endsWith: (text, part) => text.endsWith(part),
  icontains: (text, part) => fold(text).includes(fold(part)),
  istartsWith: (text, part) => fold(text).startsWith(fold(part)),
  iendsWith: (text, part) => fold(text).endsWith(fold(part)),
}

describeEngines('text search', (engine) => {
  const open = storagesOn(engine, 'suite')
  const words = new ModelAccessor(Word, 'words')
  const texts = fc.sample(anyText, { numRuns: 300, seed: 20_261_123 })
  beforeAll(async () => {
    await open([words])
    await words.insertMany([...texts.map((text, number) => ({ text, number })), { number: -1 }])
  })

  const numbers = async (where: Where<typeof Word>): Promise<number[]> => (await words.find({ where })).map((word) => word.number)

  for (const [operator, matches] of Object.entries(matchers)) {
    test(`${operator} finds what JavaScript finds, for any text`, async () => {
      await fc.assert(
        fc.asyncProperty(anyText, async (part) => {
          const expected = texts.flatMap((text, number) => (matches(text, part) ? [number] : []))
          expect(await numbers({ text: { [operator]: part } })).toEqual(expected)
        }),
        { numRuns: 60 },
      )
    })
  }

  describe('and, or, not', () => {
    test('or holds where one part holds, and nothing is held by an empty or', async () => {
      expect(await numbers({ or: [{ number: 3 }, { number: { lt: 0 } }] })).toEqual([3, -1])
      expect(await numbers({ or: [] })).toEqual([])
    })

    test('not holds for null too: what is not so is everything else', async () => {
      const found = await numbers({ not: { text: { contains: 'a' } } })
      expect(found).toEqual([...texts.flatMap((text, number) => (text.includes('a') ? [] : [number])), -1])
    })

    test('they nest', async () => {
      expect(await numbers({ and: [{ number: { gte: 2 } }, { not: { number: { gt: 3 } } }], or: [{ number: 2 }, { number: 9 }] })).toEqual([
        2,
      ])
    })
  })

  test('text operators on another kind of field are refused by name', async () => {
    const error = await rejectionOf(words.find({ where: { number: { contains: '1' } } as never }))
    expect(error).toMatchObject({ code: 'invalid_query', message: expect.stringContaining('number') })
  })
})
