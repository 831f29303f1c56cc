import { refuse } from '../refuse.ts'
import type { AppFigure } from './figure.ts'

/** As Prometheus has it: https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels */
const metricName = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const taken = /^(?:strongroom|http|process|nodejs)_/

/** Checks the option `figures`. Throws UsageError `invalid_options` with a sentence. */
export function checkFigures(figures: readonly AppFigure[] = []): readonly AppFigure[] {
  if (!Array.isArray(figures)) return refuse('figures is a list of figures for /metrics: [{ name, help, type, read }].')
  const names = new Set<string>()
  for (const { name, help, type, labelNames = [], read } of figures) {
    if (typeof name !== 'string' || !metricName.test(name))
      refuse(`A figure is called like shop_waiting_orders, with letters, digits and underscores, not ${JSON.stringify(name)}.`)
    if (taken.test(name)) refuse(`The figure ${name} has a name that the server keeps for its own. Call it by what it is about.`)
    if (names.has(name)) refuse(`There are two figures called ${name}.`)
    if (typeof help !== 'string' || help === '') refuse(`The figure ${name} needs a help, which says what it is.`)
    if (type !== 'counter' && type !== 'gauge') refuse(`The figure ${name} is a 'counter' or a 'gauge'.`)
    if ((type === 'counter') !== name.endsWith('_total')) refuse(`The name of a counter ends with _total, and of no other figure: ${name}.`)
    if (!Array.isArray(labelNames) || !labelNames.every((label) => typeof label === 'string' && metricName.test(label)))
      refuse(`labelNames of the figure ${name} is a list of names.`)
    if (typeof read !== 'function') refuse(`The figure ${name} needs a function that reads it.`)
    names.add(name)
  }
  return figures
}
