import type { Registry } from 'prom-client'

type Library = typeof import('prom-client')

/** Names that Prometheus keeps for counters, of figures that are none. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

let shared: Registry | undefined

/** The process and its event loop: one for all servers in it, from when somebody first asks, since it watches for ever after. */
export function processMetrics({ Registry, collectDefaultMetrics }: Library): Registry {
  if (shared) return shared
  shared = new Registry()
  collectDefaultMetrics({ register: shared })
  for (const name of misnamed) shared.removeSingleMetric(name)
  return shared
}
