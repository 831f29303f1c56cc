/**
 * How far the mean of the current values is from that of the reference, as a share of the latter: |mean(current) - mean(reference)| /
 * |mean(reference)|. Infinity where the reference's mean is 0 and the current one is not.
 *
 * @throws RangeError where one of them has no values
 */
export function relativeMeanDeviation(reference: readonly number[], current: readonly number[]): number {
  const from = mean(reference)
  const difference = Math.abs(mean(current) - from)
  return difference === 0 ? 0 : difference / Math.abs(from)
}

/** Summed with Neumaier's compensation: large values do not swallow the digits of small ones. */
function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('A mean needs at least one value.')
  let sum = 0
  let lost = 0
  for (const value of values) {
    const next = sum + value
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum
    sum = next
  }
  return (sum + lost) / values.length
}
