// Brings each package that a server loads into a few files, as it is published: Node takes a fifth of a millisecond for every module, and there are hundreds.
// Maps lead from there to the sources, which are published too. In here everybody uses the modules by themselves; the condition `strongroom-published`
// is how to try the bundles.
import { copyFileSync, globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * What a package depends on that goes into its bundle, with its license beside it: where it has hundreds of modules, and programs that use it by
 * themselves as well lose nothing by its being there twice, since nothing of it is told by its class.
 */
const taken: Readonly<Record<string, readonly string[]>> = { core: ['kysely'] }

/** Modules that others import by a name, by package. */
const bundled = { contract: ['index'], core: ['index', 'move'], fastify: ['index'], auth: ['index'] }

for (const [name, entries] of Object.entries(bundled)) {
  const folder = join(root, 'packages', name)
  // A thread is started by the URL of its module, beside that of whoever starts it.
  const threads = globSync('src/**/*-worker.ts', { cwd: folder, exclude: ['**/run-in-worker.ts'] })
  const files = [...entries.map((entry) => `src/${entry}.ts`), ...threads]
  const input = Object.fromEntries(files.map((file) => [basename(file, '.ts'), file]))
  if (Object.keys(input).length < files.length) throw new Error(`two modules of packages/${name} would be one file: ${files.join(', ')}`)
  const inside = taken[name] ?? []
  const bundle = await rolldown({
    cwd: folder,
    input,
    platform: 'node',
    external: (id) => !/^[./]/.test(id) && !inside.includes(id),
    // Nothing of ours is left out: what a module does when it is loaded is done here, too.
    treeshake: { moduleSideEffects: (id) => !id.includes('/node_modules/') },
    onLog: (level, log) => {
      if (level !== 'debug' && level !== 'info') throw new Error(log.message)
    },
  })
  await bundle.write({
    dir: 'dist/bundle',
    cleanDir: true,
    format: 'esm',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  })
  for (const other of inside)
    copyFileSync(join(folder, 'node_modules', other, 'LICENSE'), join(folder, 'dist/bundle', `${other}.LICENSE.txt`))
}
