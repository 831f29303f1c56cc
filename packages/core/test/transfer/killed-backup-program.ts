import { Writable } from 'node:stream'
import { openStorage } from '@strongroom/core'

/** A program that writes a backup to a stream that takes nothing, and stays. */
setInterval(() => undefined, 60_000)
const storage = await openStorage({ url: 'sqlite::memory:', accessors: [] })
const stalled = new Writable({ highWaterMark: 1, write: () => void console.log('writing') })
await storage.backup(stalled)
