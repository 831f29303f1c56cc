import type { Beats } from '../heartbeat.ts'
import { median } from '../statistics.ts'
import type { KindReport, WindowReport } from './client-messages.ts'

export interface Vitals extends Beats {
  /** Bytes of memory, and of the write-ahead log, at most. */
  readonly rss: number
  readonly log: number
  /** How many of the bytes of memory were the heap of the thread that answers requests. Earlier evidence does not tell. */
  readonly heap?: number
}

/** A stretch of time with the load, and what else was done meanwhile. */
export interface Window {
  readonly what: string
  readonly seconds: number
  readonly clients: WindowReport
  readonly vitals: Vitals
  /** Processors that other programs took meanwhile, on average. */
  readonly foreign?: number
  readonly found?: unknown
}

/** What the windows of all rounds with the same deed come to. Times in milliseconds. */
export interface DeedResult {
  readonly what: string
  readonly rounds: number
  /** Those in which other programs took less than a quarter of a processor. Where there are any, the medians are theirs. */
  readonly silentRounds: number
  /** Medians. */
  readonly seconds: number
  readonly writeP99: number
  readonly writeP99Ratio: number
  readonly readP99: number
  readonly readP99Ratio: number
  /** The worst of all rounds. */
  readonly longestStall: number
  readonly longestOwnStall: number
  readonly rssGrowthMegabytes: number
  /** How much of that is the heap of the thread that answers requests, which grows and shrinks by itself, too: a deed that is `nothing` tells by how much. */
  readonly heapGrowthMegabytes: number
  readonly logMegabytes: number
  /** The goals of this bench that were missed. */
  readonly missed: readonly string[]
}

/** What requests may feel of a backup, an export or a restore: p99 beside that of the load alone, milliseconds, and MiB. */
const goals = { p99Ratio: 1.5, ownStall: 100, rssGrowth: 100 }

/** Processors that others may take while something is measured. */
const mostForeign = 0.25

const megabytes = (bytes: number): number => Math.round(bytes / 1_048_576)

/** Each deed beside the window of nothing before it. */
export function summarise(windows: readonly Window[]): DeedResult[] {
  const pairs = windows.flatMap((window, index) => {
    const before = windows.slice(0, index).findLast(({ what }) => what === 'none')
    return before && window.what !== 'none' ? [{ before, window }] : []
  })
  return [...new Set(pairs.map(({ window }) => window.what))].map((what) => {
    const own = pairs.filter(({ window }) => window.what === what)
    const silent = own.filter(({ before, window }) => Math.max(before.foreign ?? 0, window.foreign ?? 0) <= mostForeign)
    const measured = silent.length > 0 ? silent : own
    const middle = (value: (pair: (typeof own)[number]) => number): number => Number(median(measured.map(value)).toFixed(2))
    const worst = (value: (pair: (typeof own)[number]) => number): number => Math.round(Math.max(...own.map(value)))
    const growths = own.map(({ window, before }) => ({
      rss: megabytes(window.vitals.rss - before.vitals.rss),
      heap: megabytes((window.vitals.heap ?? 0) - (before.vitals.heap ?? 0)),
    }))
    const largest = growths.reduce((one, other) => (other.rss > one.rss ? other : one))
    const figures = {
      what,
      rounds: own.length,
      silentRounds: silent.length,
      seconds: middle(({ window }) => window.seconds),
      writeP99: middle(({ window }) => window.clients.write.p99),
      writeP99Ratio: middle(({ window, before }) => window.clients.write.p99 / before.clients.write.p99),
      readP99: middle(({ window }) => window.clients.read.p99),
      readP99Ratio: middle(({ window, before }) => window.clients.read.p99 / before.clients.read.p99),
      longestStall: worst(({ window }) => window.vitals.stall),
      longestOwnStall: worst(({ window }) => window.vitals.ownStall),
      rssGrowthMegabytes: largest.rss,
      heapGrowthMegabytes: largest.heap,
      logMegabytes: worst(({ window }) => megabytes(window.vitals.log)),
    }
    return { ...figures, missed: missedBy(figures) }
  })
}

function missedBy(result: Omit<DeedResult, 'missed'>): string[] {
  const { writeP99Ratio, readP99Ratio, longestOwnStall, rssGrowthMegabytes } = result
  return [
    ...(writeP99Ratio > goals.p99Ratio ? [`p99 of writes: ${writeP99Ratio} times that without, goal ${goals.p99Ratio}`] : []),
    ...(readP99Ratio > goals.p99Ratio ? [`p99 of reads: ${readP99Ratio} times that without, goal ${goals.p99Ratio}`] : []),
    ...(longestOwnStall >= goals.ownStall ? [`longest stall: ${longestOwnStall} ms, goal ${goals.ownStall}`] : []),
    ...(rssGrowthMegabytes >= goals.rssGrowth ? [`memory: ${rssGrowthMegabytes} MiB more, goal ${goals.rssGrowth}`] : []),
  ]
}

const shown = ({ requests, p50, p99, longest, refused }: KindReport, seconds: number): string =>
  `${Math.round(requests / seconds)}/s p50 ${p50.toFixed(1)} p99 ${p99.toFixed(1)} longest ${longest.toFixed(0)} ms ${JSON.stringify(refused)}`

/** A window in a line, for people. */
export function lineOf({ what, seconds, clients, vitals, foreign, found }: Window): string {
  const { stall, ownStall, blocked, rss, heap = 0, log } = vitals
  return [
    `${what}: ${seconds.toFixed(1)} s`,
    `writes ${shown(clients.write, seconds)}`,
    `reads ${shown(clients.read, seconds)}`,
    `stall ${stall.toFixed(0)} ms, of its own ${ownStall.toFixed(0)} of which blocked ${blocked.toFixed(0)}`,
    `RSS ${megabytes(rss)} MB, ${megabytes(heap)} of it the heap for requests, log ${megabytes(log)} MB`,
    ...(foreign === undefined ? [] : [`others took ${foreign.toFixed(2)} processors`]),
    ...(found === undefined ? [] : [JSON.stringify(found)]),
  ].join('; ')
}
