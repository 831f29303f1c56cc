import { describe, expect, test } from 'vitest'
import { brokenPromises, docBlocks, docPrograms, isAnswer } from '../src/doc-blocks.ts'

const page = [
  '# A page', // 1
  '',
  '```ts',
  "const name = 'Alice'",
  '```',
  'Text with `code`.',
  '```ts', // 7
  'console.log(name) // Alice',
  '```',
  '```sh', // 10
  'npm start',
  '```',
  '```ts server', // 13
  'listen()',
  '```',
  '```sh',
  'curl http://127.0.0.1:3000/users',
  '```',
  '```json',
  '[]',
  '```',
  '```python',
  'import requests',
  '```',
  '',
].join('\n')

describe("a page's blocks of code", () => {
  test('are found with their language, words and line', () => {
    expect(docBlocks(page).map(({ language, words, line }) => [language, words, line])).toEqual([
      ['ts', [], 3],
      ['ts', [], 7],
      ['sh', [], 10],
      ['ts', ['server'], 13],
      ['sh', [], 16],
      ['json', [], 19],
      ['python', [], 22],
    ])
  })

  test('in TypeScript are one program until one begins anew', () => {
    const { programs } = docPrograms(docBlocks(page))
    expect(programs.map(({ code, server }) => [code, server])).toEqual([
      ["const name = 'Alice'\nconsole.log(name) // Alice\n", false],
      ['listen()\n', true],
    ])
  })

  test('in other languages belong to the server before them, with the answer after them', () => {
    const { programs, loose } = docPrograms(docBlocks(page))
    expect(programs[1]?.calls.map(({ language, answer }) => [language, answer])).toEqual([
      ['sh', '[]\n'],
      ['python', undefined],
    ])
    expect(loose.map(({ code }) => code)).toEqual(['npm start\n'])
  })

  test('are refused when a word says nothing', () => {
    expect(() => docPrograms(docBlocks('```ts servre\n```\n'))).toThrow(
      'Line 1: "servre" says nothing about a ts block; there are new, server, postgres.',
    )
  })
})

describe('what a page promises', () => {
  test('is printed in the order that it shows', () => {
    const code = 'console.log(a) // one\nconsole.log(b) // two\n'
    expect(brokenPromises(code, 'one\nother\ntwo\n')).toEqual([])
    expect(brokenPromises(code, 'two\none\n')).toEqual(['two'])
  })

  test('is answered, but for the values that it leaves open', () => {
    expect(isAnswer({ id: 7, at: '…', tags: ['a'] }, { id: 7, at: '2026-01-01T00:00:00Z', tags: ['a'] })).toBe(true)
    expect(isAnswer({ id: 7 }, { id: 7, name: 'more than is shown' })).toBe(false)
    expect(isAnswer(['a'], ['a', 'b'])).toBe(false)
    expect(isAnswer({ id: null }, { id: 0 })).toBe(false)
  })
})
