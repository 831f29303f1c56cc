const decimal = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const whole = new Intl.NumberFormat('en')
const percentage = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 })
const long = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' })
const short = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZone: 'UTC' })
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })

/** @param {number} value */
export const count = (value) => whole.format(value)

/** @param {number} value */
export const percent = (value) => percentage.format(value)

/** @param {number | null} value milliseconds */
export function duration(value) {
  if (value === null) return '–'
  const [number, unit] =
    value < 1000 ? [value < 10 ? value : Math.round(value), 'ms'] : value < 60_000 ? [value / 1000, 's'] : [value / 60_000, 'min']
  // a number stays beside its unit
  return `${decimal.format(number)}\u00a0${unit}`
}

/** @param {string} text an instant of the API */
export const instant = (text) => long.format(new Date(text))

/** @param {string} text */
export const shortInstant = (text) => short.format(new Date(text))

/** @param {string} text */
export const dayOf = (text) => day.format(new Date(text))
