import type { Dice } from './dice.ts'
import type { ApiDocument, Operation } from './document.ts'
import type { Tally } from './tally.ts'

/** Milliseconds for an answer from which on an operation is asked as often as it has to be, and no more. */
const slow = 100

/** The operation that has been answered least in one of the two ways, of a few. */
export function chooseOperation({ operations }: ApiDocument, tally: Tally, dice: Dice, atLeast: number): Operation {
  const share = (operation: Operation): number => {
    const { good, refused, slowness } = tally.count(operation)
    const least = Math.min(good, refused)
    return slowness > slow && least > atLeast ? Number.POSITIVE_INFINITY : least
  }
  const few = Array.from({ length: 4 }, () => dice.pick(operations)).filter((one) => one !== undefined)
  const [least] = few.sort((a, b) => share(a) - share(b))
  if (!least) throw new Error('The document has no operations')
  return least
}
