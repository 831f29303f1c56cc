// Brings each package that a server loads into a few files, as it is published: Node takes a fifth of a millisecond for every module, and there are hundreds.
// Maps lead from there to the sources, which are published too. In here everybody uses the modules by themselves; the condition `strongroom-published`
// is how to try the bundles.
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Modules that others import by a name, by package. */
const bundled = { contract: ['index'], core: ['index', 'move'], fastify: ['index'], auth: ['index'] }

for (const [name, entries] of Object.entries(bundled)) {
  const folder = join(root, 'packages', name)
  // A thread is started by the URL of its module, beside that of whoever starts it.
  const threads = globSync('src/**/*-worker.ts', { cwd: folder, exclude: ['**/run-in-worker.ts'] })
  const files = [...entries.map((entry) => `src/${entry}.ts`), ...threads]
  const input = Object.fromEntries(files.map((file) => [basename(file, '.ts'), file]))
  if (Object.keys(input).length < files.length) throw new Error(`two modules of packages/${name} would be one file: ${files.join(', ')}`)
  const bundle = await rolldown({
    cwd: folder,
    input,
    platform: 'node',
    external: (id) => !/^[./]/.test(id),
    // Nothing is left out: what a module does when it is loaded is done here, too.
    treeshake: false,
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
}
