import { expect, test, vi } from 'vitest'

test('the delays of the event loop are numbers in the very first answer, too', async () => {
  // Others in this process may have asked.
  vi.resetModules()
  const { processMetrics } = await import('../src/observe/process-metrics.ts')
  const registry = await processMetrics(await import('prom-client'))
  const told = async (name: string): Promise<number | undefined> => (await registry.getSingleMetric(name)?.get())?.values[0]?.value
  await registry.metrics()
  expect(await told('nodejs_eventloop_lag_min_seconds')).toBeLessThan(60)
  expect(await told('nodejs_eventloop_lag_mean_seconds')).toBeGreaterThan(0)
})
