import type { Where } from '@strongroom/core'
import { type Log, logs } from './models.ts'

/** The numbers of a client's runs, counted in the database. */
export async function overview(where: Where<typeof Log>): Promise<object> {
  const rows = await logs.aggregate({ groupBy: ['status'], measures: ['count', 'avg:duration_ms', 'max:executed_at'], where })
  const count = (wanted: string) => rows.find(({ status }) => status === wanted)?.count ?? 0
  const [success, failure] = [count('success'), count('failure')]
  const total = success + failure
  const spent = rows.reduce((sum, row) => sum + (row.avg_duration_ms ?? 0) * row.count, 0)
  const latest = rows
    .flatMap(({ max_executed_at }) => max_executed_at ?? [])
    .sort((a, b) => a.getTime() - b.getTime())
    .at(-1)
  return {
    total,
    success,
    failure,
    failure_rate: total === 0 ? 0 : failure / total,
    average_duration_ms: total === 0 ? null : spent / total,
    last_executed_at: latest?.toISOString() ?? null,
  }
}

/** The same by category, those with most runs first. */
export async function countByCategory(where: Where<typeof Log>): Promise<object[]> {
  const rows = await logs.aggregate({ groupBy: ['category', 'status'], measures: ['count', 'avg:duration_ms'], where })
  const found = new Map<string, { category: string; total: number; failure: number; spent: number }>()
  for (const { category, status, count, avg_duration_ms } of rows) {
    const sum = found.get(category) ?? { category, total: 0, failure: 0, spent: 0 }
    found.set(category, {
      category,
      total: sum.total + count,
      failure: sum.failure + (status === 'failure' ? count : 0),
      spent: sum.spent + (avg_duration_ms ?? 0) * count,
    })
  }
  return [...found.values()]
    .sort((a, b) => b.total - a.total || (a.category < b.category ? -1 : 1))
    .map(({ spent, ...sum }) => ({ ...sum, average_duration_ms: spent / sum.total }))
}

/** Milliseconds that a bar of a chart may stand for: minutes, hours, days and weeks. */
const periods = [1, 5, 15, 60, 180, 360, 1440, 10_080, 43_200].map((minutes) => minutes * 60_000)
const mostPeriods = 48

/** The same in periods of equal length, from the first run to the last; an empty list where there is none. */
export async function countOverTime(where: Where<typeof Log>): Promise<object[]> {
  const [extent] = await logs.aggregate({ measures: ['min:executed_at', 'max:executed_at'], where })
  const [first, last] = [extent?.min_executed_at?.getTime(), extent?.max_executed_at?.getTime()]
  if (first === undefined || last === undefined) return []
  const length = periods.find((each) => (last - first) / each < mostPeriods - 1) ?? Math.ceil((last - first) / (mostPeriods - 1))
  const counted: object[] = []
  for (let begin = Math.floor(first / length) * length; begin <= last; begin += length) {
    const [from, until] = [new Date(begin), new Date(begin + length)]
    // the first and last period may reach beyond the times that there are
    const end = until.getTime() > last ? { lte: new Date(last) } : { lt: until }
    const within = { and: [where, { executed_at: { gte: new Date(Math.max(begin, first)), ...end } }] }
    const rows = await logs.aggregate({ groupBy: ['status'], measures: ['count'], where: within })
    const count = (wanted: string) => rows.find(({ status }) => status === wanted)?.count ?? 0
    counted.push({ from: from.toISOString(), until: until.toISOString(), success: count('success'), failure: count('failure') })
  }
  return counted
}
