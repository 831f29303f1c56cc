/** Names longer than this are not compared: nobody misspells them by hand. */
const longestCompared = 60

/** The name that was probably meant, or undefined when none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > longestCompared) return undefined
  let nearest: string | undefined
  let nearestDistance = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(plain(name), plain(candidate))
    if (distance < nearestDistance) {
      nearest = candidate
      nearestDistance = distance
    }
  }
  return nearest
}

/** ` Did you mean "x"?`, or nothing when no known name is near. */
export function suggestion(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known)
  return nearest === undefined ? '' : ` Did you mean "${nearest}"?`
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll('_', '')
}

/** Letters to replace, insert, leave out or swap with their neighbour. */
function editDistance(left: string, right: string): number {
  let before: number[] = []
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let row = 1; row <= left.length; row++) {
    const current = [row]
    for (let column = 1; column <= right.length; column++) {
      const replaced = at(previous, column - 1) + (left[row - 1] === right[column - 1] ? 0 : 1)
      const isSwapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
      const swapped = isSwapped ? at(before, column - 2) + 1 : replaced
      current.push(Math.min(replaced, swapped, at(previous, column) + 1, at(current, column - 1) + 1))
    }
    before = previous
    previous = current
  }
  return at(previous, right.length)
}

function at(distances: readonly number[], index: number): number {
  return distances[index] ?? 0
}
