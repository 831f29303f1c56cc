import type { Command } from './commands/command.ts'
import { exitCodeOf, exitCodes } from './exit-codes.ts'
import { Fault, Unreachable, WrongUse } from './faults.ts'
import { printable, withoutPasswords } from './output/printable.ts'
import { write } from './output/write.ts'
import type { Surroundings } from './surroundings.ts'

/** Says what went wrong: in a sentence on standard error, and with `--json` in a document on standard output too. No password is in it. */
export async function tell(
  error: unknown,
  {
    command,
    asJson,
    surroundings,
  }: { readonly command: Command | undefined; readonly asJson: boolean; readonly surroundings: Surroundings },
): Promise<void> {
  const message = withoutPasswords(error instanceof Error ? error.message : String(error))
  const { code, status, requestId, issues = [] } = detailsOf(error)
  const advice = exitCodeOf(error) === exitCodes.wrongUse ? `\nSee strongroom ${command === undefined ? '' : `${command.name} `}--help` : ''
  const lines = issues
    .filter((issue) => !message.includes(issue.message))
    .map(({ path, message: text }) => `  ${path}: ${withoutPasswords(text)}`)
  const text = [`strongroom: ${message}${advice}`, ...lines, ...(requestId === undefined ? [] : [`  request id: ${requestId}`])].join('\n')
  try {
    if (asJson) {
      const told = { code: code || codeWithout(error), status: status || null, message, errors: issues }
      await write(surroundings.stdout, `${JSON.stringify({ status: 'error', error: { ...told, request_id: requestId ?? null } })}\n`)
    }
    await write(surroundings.stderr, `${printable(text, { lines: true })}\n`)
  } catch {
    // Nobody listens any more; the exit code tells.
  }
}

function codeWithout(error: unknown): string {
  if (error instanceof WrongUse) return 'wrong_use'
  return error instanceof Unreachable ? 'unreachable' : 'failed'
}

function detailsOf(error: unknown): Partial<Pick<Fault, 'code' | 'status' | 'requestId' | 'issues'>> {
  if (error instanceof Fault) return error
  if (!(error instanceof Error) || !('code' in error)) return {}
  return { code: String(error.code), ...('status' in error && { status: Number(error.status) }) }
}
