// Runs the quickstart's start script without a shell in between, so that it is told when `npm start` is to end.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const example = new URL('../examples/quickstart/', import.meta.url)
const bundled = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url))
const { scripts } = JSON.parse(readFileSync(new URL('package.json', example), 'utf8'))
const [, ...args] = scripts.start.split(' ')

const child = spawn(existsSync(bundled) ? bundled : process.execPath, args, { cwd: fileURLToPath(example), stdio: 'inherit' })
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)))

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // Ctrl-C reaches the whole group of processes: the example has had it already
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  })
}

// npm ends the shell that runs its scripts and nothing below it; a new parent says that this has happened
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent) child.kill('SIGTERM')
}, 200).unref()
