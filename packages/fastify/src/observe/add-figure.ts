import type { Registry } from 'prom-client'
import type { AppFigure, LabelledValue } from './figure.ts'

/** Puts a figure into a registry, which reads it whenever it is asked. */
export function addFigure(
  { Gauge, Counter }: typeof import('prom-client'),
  registry: Registry,
  { name, help, type, labelNames = [], read }: AppFigure,
  failed: (name: string, error: unknown) => void,
): void {
  const about = { name, help, labelNames: [...labelNames], registers: [registry] }
  const values = async (): Promise<readonly LabelledValue[]> => {
    try {
      const found = await read()
      return typeof found === 'number' ? [{ labels: {}, value: found }] : found
    } catch (error) {
      failed(name, error)
      return []
    }
  }
  // a figure without labels is 0 after a reset
  const isAbsent = (found: readonly LabelledValue[]) => labelNames.length === 0 && found.length === 0
  if (type === 'gauge') {
    new Gauge({
      ...about,
      async collect() {
        const found = await values()
        // what has gone since is told no more
        this.reset()
        if (isAbsent(found)) this.remove()
        for (const { labels, value } of found) this.set(labels, value)
      },
    })
  } else {
    new Counter({
      ...about,
      async collect() {
        const found = await values()
        this.reset()
        if (isAbsent(found)) this.remove()
        for (const { labels, value } of found) this.inc(labels, value)
      },
    })
  }
}
