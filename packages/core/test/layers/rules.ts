import { circles } from './circles.ts'
import type { Import, SourceFile } from './source-file.ts'

/** What each published package may import of the others. The private ones may import all, and nobody imports them. */
const packageImports: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  core: ['contract'],
  fastify: ['contract', 'core'],
  auth: ['contract', 'core', 'fastify'],
  cli: ['contract', 'core', 'fastify', 'auth'],
  client: ['contract'],
}
const privatePackages = ['testkit', 'bench', 'soak', 'openapi-check']

/** The rooms of core from the ground up: a folder of src, or a file that stands there alone. Imports lead down, or stay on the floor. */
const floors: readonly (readonly string[])[] = [
  ['errors', 'logger'],
  ['model'],
  ['engine'],
  ['session', 'hooks', 'audit', 'query'],
  ['idempotency', 'counters', 'access'],
  ['accessor'],
  ['schema', 'transfer', 'health', 'jobs', 'changes', 'retention', 'evidence', 'revert'],
  ['options'],
  ['storage', 'storage-interface', 'view', 'open-migrator', 'move-database', 'move'],
  ['index'],
]
const coreSource = 'packages/core/src/'
/** What a unit of work is for; its type may be named anywhere. */
const contextFile = `${coreSource}session/context.ts`

/** A comparison with an engine's name or URL scheme, on either side, in a case, a call like `startsWith`, or a regular expression. */
const engineName = String.raw`(['"\`])(?:sqlite|postgres|postgresql):?`
const engineQuestion = new RegExp(
  [
    String.raw`(?:[!=]==?\s*|\bcase\s+|\.(?:startsWith|endsWith|includes|has|indexOf)\(\s*)${engineName}\1`,
    String.raw`${engineName}\2\s*[!=]==?`,
    String.raw`/\^\(?(?:\?:)?(?:sqlite|postgres)`,
  ].join('|'),
  'g',
)

/** Lines, comments apart. */
const longestFile = 300
/** Files that may be longer, each with its reason. */
export const longFiles: Readonly<Record<string, string>> = {}

/** Everything that breaks the house rules on layers, a sentence for each. */
export function layerFaults(files: readonly SourceFile[], exceptions: Readonly<Record<string, string>> = longFiles): string[] {
  const published = files.filter((file) => !privatePackages.includes(packageOf(file.path)))
  return [
    ...published.flatMap(packageFaults),
    ...published.flatMap(roomFaults),
    ...published.flatMap(engineFolderFaults),
    ...published.flatMap(engineNameFaults),
    ...circleFaults(files),
    ...roomCircleFaults(files),
    ...lengthFaults(files, exceptions),
  ]
}

function packageOf(path: string): string {
  return /^packages\/([^/]+)\//.exec(path)?.[1] ?? ''
}

function packageFaults(file: SourceFile): string[] {
  const own = packageOf(file.path)
  const allowed = packageImports[own]
  if (!allowed) return [`${file.path}: the package ${own} has no place in the order of packages`]
  return file.imports.flatMap(({ target }) => {
    const other = /^@strongroom\/([^/]+)/.exec(target)?.[1]
    if (other !== undefined && !allowed.includes(other)) return [`${file.path}: ${own} may not import @strongroom/${other}`]
    const inside = !target.startsWith('packages/') || target.startsWith(`packages/${own}/src/`)
    return inside ? [] : [`${file.path}: imports ${target}, which is outside its package's sources`]
  })
}

/** The room of a file of core, `undefined` for other packages. */
function roomOf(path: string): string | undefined {
  if (!path.startsWith(coreSource)) return undefined
  return path.slice(coreSource.length).replace(/(\/.*|\.ts)$/, '')
}

function floorOf(room: string): number {
  return floors.findIndex((rooms) => rooms.includes(room))
}

function isContextType({ target, typeOnly }: Import): boolean {
  return typeOnly && target === contextFile
}

function roomFaults(file: SourceFile): string[] {
  const room = roomOf(file.path)
  if (room === undefined) return []
  if (floorOf(room) < 0) return [`${file.path}: the room ${room} has no floor`]
  return file.imports.flatMap((found) => {
    const other = roomOf(found.target)
    if (other === undefined || isContextType(found) || floorOf(other) <= floorOf(room)) return []
    return [`${file.path}: ${room} may not import ${found.target}, which is above it`]
  })
}

function engineFolderFaults(file: SourceFile): string[] {
  const folder = engineFolder(file.path)
  if (folder === undefined) return []
  return file.imports
    .filter(({ target }) => ![undefined, folder].includes(engineFolder(target)))
    .map(({ target }) => `${file.path}: the engine ${folder} may not import another one's ${target}`)
}

function engineFolder(path: string): string | undefined {
  return /^packages\/core\/src\/engine\/([^/]+)\//.exec(path)?.[1]
}

function engineNameFaults(file: SourceFile): string[] {
  if (file.path.startsWith(`${coreSource}engine/`)) return []
  return [...file.code.matchAll(engineQuestion)].map(
    ([question]) => `${file.path}: asks which engine it is (${question.trim()}); ask for a capability`,
  )
}

function circleFaults(files: readonly SourceFile[]): string[] {
  const loads = files.map(
    (file) => [file.path, file.imports.filter((found) => !found.typeOnly && !found.lazy).map(({ target }) => target)] as const,
  )
  return circles(new Map(loads)).map((circle) => `the imports go in a circle: ${circle}`)
}

/** Rooms on one floor may use each other, one way. */
function roomCircleFaults(files: readonly SourceFile[]): string[] {
  const graph = new Map<string, string[]>()
  for (const file of files) {
    const room = roomOf(file.path)
    if (room === undefined) continue
    const others = file.imports.filter(({ typeOnly }) => !typeOnly).map(({ target }) => roomOf(target))
    const neighbours = others.filter((other) => other !== undefined && other !== room && floorOf(other) === floorOf(room))
    graph.set(room, [...new Set([...(graph.get(room) ?? []), ...neighbours.filter((other) => other !== undefined)])])
  }
  return circles(graph).map((circle) => `rooms import each other in a circle: ${circle}`)
}

function lengthFaults(files: readonly SourceFile[], exceptions: Readonly<Record<string, string>>): string[] {
  const long = files.filter((file) => file.lines > longestFile)
  const tooLong = long.filter((file) => exceptions[file.path] === undefined)
  const needless = Object.keys(exceptions).filter((path) => !long.some((file) => file.path === path))
  return [
    ...tooLong.map((file) => `${file.path}: ${file.lines} lines, more than ${longestFile}`),
    ...needless.map((path) => `${path}: needs no exception from the ${longestFile} lines`),
  ]
}
