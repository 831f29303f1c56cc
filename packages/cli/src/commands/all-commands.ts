import { audit } from './audit.ts'
import { auditVerify } from './audit-verify.ts'
import { backup } from './backup.ts'
import type { Command } from './command.ts'
import { diagram } from './diagram.ts'
import { exportTables } from './export.ts'
import { health } from './health.ts'
import { history } from './history.ts'
import { importFiles } from './import.ts'
import { migrate } from './migrate.ts'
import { move } from './move.ts'
import { restore } from './restore.ts'
import { revert } from './revert.ts'
import { why } from './why.ts'

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  backup,
  restore,
  exportTables,
  importFiles,
  audit,
  auditVerify,
  history,
  revert,
  why,
  health,
  diagram,
  migrate,
  move,
]
