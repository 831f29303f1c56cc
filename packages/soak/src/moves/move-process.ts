import { moveDatabase, viewDatabase } from '@strongroom/core'

/**
 * Moves a database, and is killed in its middle where that is said: `node move-process.ts move FROM TO [killed]`. Or has a log prove
 * itself: `node move-process.ts verify URL`. It prints what came of it, and the most memory that it took.
 */
const [, , action, from = '', to = '', killed] = process.argv

async function verify(): Promise<unknown> {
  const view = await viewDatabase({ url: from })
  const verdict = await view.audit.verify()
  await view.close()
  return verdict
}

function move(): Promise<unknown> {
  return moveDatabase({
    from,
    to,
    onProgress: ({ phase, rows, total }) => {
      if (killed !== undefined && phase === 'copying' && rows > total / 2) process.kill(process.pid, 'SIGKILL')
    },
  })
}

const result = await (action === 'move' ? move() : verify())
// In kilobytes, on Linux.
process.stdout.write(JSON.stringify({ result, maxRss: process.resourceUsage().maxRSS }))
