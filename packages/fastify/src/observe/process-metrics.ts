import { setTimeout as pause } from 'node:timers/promises'
import type { Registry } from 'prom-client'

type Library = typeof import('prom-client')

/** Names that Prometheus keeps for counters, of figures that are none. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

/** Milliseconds after which the event loop has been looked at again: every ten. */
const nextLook = 15

let shared: Promise<Registry> | undefined

/** The process and its event loop: one for all servers in it, from when somebody first asks, since it watches for ever after. */
export function processMetrics(library: Library): Promise<Registry> {
  shared ??= watchProcess(library)
  return shared
}

async function watchProcess({ Registry, collectDefaultMetrics }: Library): Promise<Registry> {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const name of misnamed) registry.removeSingleMetric(name)
  // Its delays are from one look to the next: before the second, the least of them is nine billion seconds, and their mean is none.
  await pause(nextLook)
  await pause(nextLook)
  return registry
}
