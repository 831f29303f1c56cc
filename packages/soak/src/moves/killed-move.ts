import { moveDatabase } from '@strongroom/core/move'

/** Moves a database, and is killed in the middle of it: `node killed-move.ts FROM TO`. */
const [, , from = '', to = ''] = process.argv

await moveDatabase({
  from,
  to,
  onProgress: ({ phase, rows, total }) => {
    if (phase === 'copying' && rows > total / 2) process.kill(process.pid, 'SIGKILL')
  },
})
