import { spawn } from 'node:child_process'

/** Stops a server when this process ends, however it ends. */
export interface Watchdog {
  /** The server is stopped already: go without doing anything. */
  dismiss(): void
}

/**
 * Its standard input is a pipe from this process. The system closes that pipe when this process ends, killed or not;
 * then it stops the server at once and removes the server's folder.
 */
const program = `
const { rmSync } = require('node:fs')
const [pid, folder] = [Number(process.argv[1]), process.argv[2]]
const alive = () => { try { return process.kill(pid, 0) } catch { return false } }
const clear = () => alive() ? setTimeout(clear, 50) : rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
process.stdin.resume().on('data', () => process.exit(0)).on('end', () => {
  try { process.kill(pid, 'SIGINT') } catch {}
  clear()
})
`

/** Watches over the server with the process id `pid`, whose files are in `folder`. */
export function startWatchdog(pid: number | undefined, folder: string): Watchdog {
  if (pid === undefined) return { dismiss: () => {} }
  const child = spawn(process.execPath, ['-e', program, String(pid), folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  child.unref()
  // the pipe alone must not keep a script alive; a write after the watchdog went is of no interest
  child.stdin.on('error', () => {})
  if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref()
  return {
    dismiss: () => {
      child.stdin.write('dismissed')
    },
  }
}
