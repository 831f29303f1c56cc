import { existsSync, globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8')

const rows = [...read('docs/guide/securing-a-server.md').matchAll(/^\| (API\d+):2023 [^|]+\| ([^|]+)\| ([^|]+)\|$/gm)]
/** The tests that a row names: a file, and the names of tests in it. */
const shownBy = (cell = '') =>
  [...cell.matchAll(/`([\w./-]+)`((?:,? "[^"]+")+)/g)].flatMap(([, file = '', names = '']) =>
    [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => ({ file, name })),
  )

test('the table of threats has each of the OWASP API Security Top 10 once', () => {
  expect(rows.map(([, threat]) => threat)).toEqual(Array.from({ length: 10 }, (_, index) => `API${index + 1}`))
})

test.each(rows.map(([, threat = '', , tests]) => [threat, tests]))('%s is answered by tests that there are', (_threat, cell) => {
  const named = shownBy(cell)
  expect(named.length).toBeGreaterThan(0)
  expect(named.filter(({ file, name }) => !existsSync(`${root}${file}`) || !isTest(read(file), name))).toEqual([])
})

test('nothing that serves requests fetches anything', () => {
  const sources = globSync('packages/{contract,core,fastify,auth}/src/**/*.ts', { cwd: root })
  expect(sources.length).toBeGreaterThan(200)
  const asks =
    /(?<![.\w])fetch\(|\bXMLHttpRequest\b|from '(?:undici|axios|got|node:(?:tls|http2|dgram|dns))'|\b(?:http|https|net)\.(?:request|get|connect)\(/
  const imports = /^import (?!type)\{[^}]*\b(?:request|get|Agent|connect|createConnection)\b[^}]*\} from 'node:(?:https?|net)'/m
  const found = sources.filter((path) => asks.test(read(path)) || imports.test(read(path)) || read(path).includes("from 'node:https'"))
  expect(found).toEqual([])
})

/** Whether a file has a test of this name: `test('…`, `test.each(…)('…`. */
function isTest(source: string, name: string): boolean {
  return ["'", '"', '`'].some((quote) => new RegExp(`\\(\\s*${escaped(`${quote}${name}${quote}`)}`).test(source))
}

function escaped(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&')
}
