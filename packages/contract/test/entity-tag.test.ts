import { describe, expect, test } from 'vitest'
import { entityTag, parseEntityTags } from '../src/index.ts'

describe('entity tags', () => {
  test('a version travels in double quotes and comes back', () => {
    expect(parseEntityTags('If-Match', entityTag('Ab-_9'))).toEqual({ any: false, strong: ['Ab-_9'], all: ['Ab-_9'] })
  })

  test('lists may hold weak tags, which are not strong', () => {
    expect(parseEntityTags('If-Match', '"a", W/"b" ,"c"')).toEqual({ any: false, strong: ['a', 'c'], all: ['a', 'b', 'c'] })
  })

  test('what is empty in a list counts for nothing', () => {
    expect(parseEntityTags('If-Match', ', "a" ,, W/"b",')).toEqual({ any: false, strong: ['a'], all: ['a', 'b'] })
  })

  test('a star stands for any', () => {
    expect(parseEntityTags('If-Match', ' * ')).toEqual({ any: true, strong: [], all: [] })
  })

  test.each(['', 'a', '"a', '"a" "b"', '*,"a"', ','])('%j is refused', (text) => {
    expect(() => parseEntityTags('If-Match', text)).toThrow(/If-Match is \* or a list/)
  })
})
