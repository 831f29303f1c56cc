import { NoAnswer } from './client.ts'
import { tell } from './judge.ts'
import type { Answer, Draft } from './request.ts'
import type { Tally } from './tally.ts'

/** Requests that are under way at a time. */
export const together = 4

/** Throws up to so many requests at a time. One that puts another content in the place of the database's own goes after the others. */
export async function throwWave(thrower: { prepare(): Prepared }, most: number): Promise<number> {
  const wave: Prepared[] = []
  while (wave.length < most && wave.at(-1)?.alone !== true) wave.push(thrower.prepare())
  const groups = [wave.filter(({ alone }) => !alone), wave.filter(({ alone }) => alone)]
  for (const group of groups) {
    const outcomes = await Promise.all(group.map((request) => request.send()))
    for (const [index, request] of group.entries()) request.settle(outcomes[index])
  }
  return wave.length
}

/** A request that is ready to go. All are made before any is sent, and answers count in the order of the requests: a seed repeats them. */
export interface Prepared {
  /** No other request may be under way. */
  readonly alone: boolean
  send(): Promise<Answer | NoAnswer>
  settle(outcome: Answer | NoAnswer | undefined): void
}

/** A request of an operation. One that is not answered is a fault; what is answered is told to `settle`. */
export function requestOf(
  draft: Draft,
  tally: Tally,
  { send, settle }: { readonly send: () => Promise<Answer>; readonly settle: (answer: Answer) => void },
): Prepared {
  return {
    alone: draft.operation.tag === 'db' && draft.method !== 'GET',
    send: () => send().catch(noAnswer),
    settle: (outcome) => {
      if (outcome === undefined || outcome instanceof NoAnswer)
        tally.fault(`no answer at ${draft.operation.name}`, `${outcome?.message ?? ''} ${tell(draft)}`)
      else settle(outcome)
    },
  }
}

export function noAnswer(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error
  throw error
}
