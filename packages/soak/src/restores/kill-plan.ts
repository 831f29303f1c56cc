import type { RestoreStep } from '@strongroom/core'
import type { EngineName } from '@strongroom/testkit'

/** Moments at which a restore can be killed: while its file is uploaded, after a step, and after its answer. */
export type KillMoment = 'uploading' | RestoreStep | 'answered'

/** All that a restore comes by, in order. */
export const momentsOf: Readonly<Record<EngineName, readonly KillMoment[]>> = {
  sqlite: [
    ...(['uploading', 'received', 'examined', 'staged', 'held', 'locked', 'kept', 'prepared', 'copying'] as const),
    ...(['replaced', 'synced', 'done', 'answered'] as const),
  ],
  postgres: ['uploading', 'received', 'examined', 'staged', 'held', 'filled', 'locked', 'prepared', 'replaced', 'done', 'answered'],
}

/** Before this one nothing can have changed; from the other one on the new content has to be there. */
export const bounds = { oldUntil: 'prepared', newFrom: 'replaced' } as const

/** What is heard of one restore, and when. */
export class Heard {
  last: KillMoment = 'uploading'
  readonly times = new Map<KillMoment, number>([['uploading', performance.now()]])

  hear(moment: KillMoment): void {
    this.last = moment
    if (!this.times.has(moment)) this.times.set(moment, performance.now())
  }

  /** Milliseconds from a moment to the next one. */
  lengthOf(moment: KillMoment): number {
    const start = this.times.get(moment)
    const later = [...this.times.values()].filter((time) => start !== undefined && time > start)
    return start === undefined || later.length === 0 ? 0 : Math.min(...later) - start
  }
}
