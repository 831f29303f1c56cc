/** Tells the bench where a server listens, tells it the processor time (µs) that was used so far whenever it asks, and ends with the bench. */
export function announce(url: string, close: () => Promise<unknown>): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send?.({ microseconds: user + system, resident: process.memoryUsage.rss() })
  })
  const end = (): void => void close().then(() => process.disconnect?.())
  process.on('disconnect', () => process.exit(0))
  process.on('SIGTERM', end)
  process.send?.({ url })
}
