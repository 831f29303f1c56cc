import type { TSchema } from 'typebox'
import { type FieldNotes, notesOf, same, type ValueType } from './value-type.ts'

export interface DecimalOptions extends FieldNotes {
  /** Digits in all, 1 to 18: as many as fit into a scaled 64-bit integer. */
  readonly precision: number
  /** Digits after the point, 0 to `precision`. */
  readonly scale: number
}

/** The most digits of which a scaled 64-bit integer holds every number. */
const mostDigits = 18

/** A double gives back every decimal of up to 15 digits. */
const exactDigits = 15

const decimalPattern = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?$/

/** A decimal number of a fixed scale: text like '12.50' in code and in JSON. */
export function decimalType({ precision, scale, ...notes }: DecimalOptions): ValueType {
  return {
    kind: 'decimal',
    schema: { ...notesOf(notes), type: 'string', pattern: publishedPattern(precision, scale) } as TSchema,
    precision,
    scale,
    check: (value) => {
      const parts = typeof value === 'string' ? decimalPattern.exec(value) : null
      if (!parts) return `must be a decimal number as text, e.g. "${sample(scale)}"`
      const [, , whole = '', fraction = ''] = parts
      if (fraction.length > scale)
        return scale === 0 ? 'must have no digits after the point' : `must have at most ${scale} digits after the point`
      if ((whole === '0' ? 0 : whole.length) > precision - scale) return `must have at most ${precision - scale} digits before the point`
      return undefined
    },
    normalise: (value) => canonicalDecimal(value, scale),
    toJson: same,
    fromJson: (value) => (typeof value === 'number' ? exactDecimal(value, scale) : value),
  }
}

/** Says what is wrong with a Decimal's options. */
export function decimalOptionsProblem({ precision, scale }: DecimalOptions): string | undefined {
  if (!Number.isInteger(precision) || precision < 1 || precision > mostDigits)
    return `Decimal takes a precision from 1 to ${mostDigits}, the digits in all`
  if (!Number.isInteger(scale) || scale < 0 || scale > precision)
    return 'Decimal takes a scale from 0 to its precision, the digits after the point'
  return undefined
}

/** Exactly `scale` digits after the point, and no minus before zero. */
function canonicalDecimal(value: unknown, scale: number): unknown {
  const parts = typeof value === 'string' ? decimalPattern.exec(value) : null
  if (!parts) return value
  const [, sign = '', whole = '', fraction = ''] = parts
  const digits = fraction.padEnd(scale, '0')
  const isZero = whole === '0' && /^0*$/.test(digits)
  return `${isZero ? '' : sign}${whole}${digits === '' ? '' : `.${digits}`}`
}

/** The decimal that a JSON number surely stood for; the number itself, to be refused, when it may have lost digits. */
function exactDecimal(value: number, scale: number): unknown {
  if (Number.isSafeInteger(value)) return String(value)
  if (!Number.isFinite(value) || Number(value.toPrecision(exactDigits)) !== value) return value
  // No more digits than are needed to tell it from other numbers: those behind them nobody has written.
  const [digits = '', exponent] = value.toExponential().split('e')
  const fraction = Math.max(0, digits.replace(/[-.]/g, '').length - 1 - Number(exponent))
  return fraction > scale ? value : value.toFixed(fraction)
}

function publishedPattern(precision: number, scale: number): string {
  const whole = precision === scale ? '0' : `(0|[1-9]\\d{0,${precision - scale - 1}})`
  return `^-?${whole}${scale === 0 ? '' : `(\\.\\d{1,${scale}})?`}$`
}

function sample(scale: number): string {
  return scale === 0 ? '12' : `12.${'50'.padEnd(scale, '0').slice(0, scale)}`
}
