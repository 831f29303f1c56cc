import { InvalidQueryError } from '../errors.ts'

/** How far a reader of the feed has come: a position, and the epoch of the log in which that was the position. */
export interface ChangePlace {
  readonly epoch: number
  readonly position: number
}

const form = /^(0|[1-9]\d{0,15}):(0|[1-9]\d{0,15})$/

/** Reads the id of a change. Throws InvalidQueryError for text that is none. */
export function readPlace(id: string): ChangePlace {
  const [epoch, position] = (form.exec(id) ?? []).slice(1).map(Number)
  if (Number.isSafeInteger(epoch) && Number.isSafeInteger(position)) return { epoch: epoch as number, position: position as number }
  throw new InvalidQueryError('A place in the feed of changes is the id of a change, e.g. 1:740, or start.')
}

/** The id of the change at a place. */
export function writePlace({ epoch, position }: ChangePlace): string {
  return `${epoch}:${position}`
}
