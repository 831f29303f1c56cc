#!/usr/bin/env node
/** better-sqlite3 needs this Node-API; an older Node dies of a segmentation fault when it loads it. */
const neededNapi = 10

if (Number(process.versions.napi) >= neededNapi) await main()
else {
  console.error(`strongroom: this needs Node 22.18 or later; this is Node ${process.version}. Run it with a newer Node.`)
  process.exitCode = 1
}

async function main(): Promise<void> {
  const { exitCodes, run } = await import('./index.ts')
  const ending = new AbortController()
  let asked = false
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      // Whoever asks again does not want to wait until all is tidy.
      if (asked) process.exit(exitCodes.interrupted)
      asked = true
      ending.abort(new Error('Interrupted.'))
    })
  }
  const { stdin, stdout, stderr, env } = process
  // Each write hears of its own failure.
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined)
  process.exitCode = await run(process.argv.slice(2), { stdin, stdout, stderr, env, signal: ending.signal })
  // A pipe that nobody fills would keep the process.
  stdin.destroy()
}
