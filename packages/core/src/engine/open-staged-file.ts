import type { Engine } from './engine.ts'
import { openSqliteEngine } from './sqlite/open.ts'

/** Opens a staged file, to bring its tables up to date. It is private, and thrown away when that fails. */
export function openStagedFile(path: string): Promise<Engine> {
  return openSqliteEngine({ path, passing: true })
}
