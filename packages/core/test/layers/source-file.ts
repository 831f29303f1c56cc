import { globSync, readFileSync } from 'node:fs'
import { posix, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One import or re-export of a source file. */
export interface Import {
  /** The path of a file of this repository for a relative import, else the specifier as it stands. */
  readonly target: string
  /** Gone after compilation. */
  readonly typeOnly: boolean
  /** Loaded when it is needed (`await import(…)`), so that it cannot close a circle at load. */
  readonly lazy: boolean
}

export interface SourceFile {
  /** From the repository's root, with slashes: `packages/core/src/index.ts`. */
  readonly path: string
  /** Without the lines that hold nothing but a comment. */
  readonly lines: number
  /** The text with blanks in the place of comments. */
  readonly code: string
  readonly imports: readonly Import[]
}

const commentOrString = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g
const staticImport = /^[ \t]*(?:import|export)\s+(type\s+(?=[\w*{]))?(?:[\w$*{},\s]+\s+from\s+|(?=['"]))['"]([^'"\n]+)['"]/gm
const lazyImport = /(typeof\s+)?\bimport\(\s*['"]([^'"\n]+)['"]\s*\)(\.[A-Z])?/g

/** Reads what the rules of layers.test.ts need to know of a file. */
export function sourceFile(path: string, text: string): SourceFile {
  const code = text.replace(commentOrString, (found) => (found.startsWith('/') ? found.replace(/[^\n]/g, ' ') : found))
  const found = (specifier: string, typeOnly: boolean, lazy: boolean): Import => ({ target: resolve(path, specifier), typeOnly, lazy })
  const imports = [
    ...[...code.matchAll(staticImport)].map(([, type, specifier = '']) => found(specifier, type !== undefined, false)),
    ...[...code.matchAll(lazyImport)].map(([, type, specifier = '', member]) => found(specifier, (type ?? member) !== undefined, true)),
  ]
  return { path, lines: countLines(text, code), code, imports }
}

/** The sources of every package, read from disk. */
export function readSources(): SourceFile[] {
  const root = fileURLToPath(new URL('../../../../', import.meta.url))
  return globSync('packages/*/src/**/*.ts', { cwd: root })
    .map((path) => path.replaceAll(sep, '/'))
    .sort()
    .map((path) => sourceFile(path, readFileSync(`${root}${path}`, 'utf8')))
}

function countLines(text: string, code: string): number {
  const written = text.trimEnd().split('\n')
  const left = code.split('\n')
  return written.filter((line, index) => line.trim() === '' || left[index]?.trim() !== '').length
}

function resolve(from: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : specifier
}
