import type { CompiledQuery } from 'kysely'
import type { Statement } from '../engine/engine.ts'

/** Stands in a query for a value that is not known yet. */
export class Slot {
  readonly index: number

  constructor(index: number) {
    this.index = index
  }
}

/** A statement that was compiled once for all values of the same shape. */
export interface Shape {
  readonly sql: string
  /** For each parameter: which value goes there, or the constant itself. */
  readonly parameters: readonly unknown[]
  /** The values are the parameters, one by one: nothing is to be done for a statement with thousands of them. */
  readonly direct: boolean
}

export function shapeOf(compiled: Pick<CompiledQuery, 'sql' | 'parameters'>): Shape {
  const { sql, parameters } = compiled
  const direct = parameters.every((parameter, index) => parameter instanceof Slot && parameter.index === index)
  return { sql, parameters, direct }
}

/** Puts values (in the engine's own form) into a shape. */
export function bind(shape: Shape, values: readonly unknown[]): Statement {
  if (shape.direct && values.length === shape.parameters.length) return { sql: shape.sql, parameters: values }
  const parameters = shape.parameters.map((parameter) => (parameter instanceof Slot ? values[parameter.index] : parameter))
  return { sql: shape.sql, parameters }
}

/** Parameters of all shapes that are kept together: long lists of many lengths would fill the memory otherwise. */
const mostParameters = 100_000

/** Shapes by key, the oldest forgotten first; a caller who varies his questions for ever cannot fill the memory. */
export class ShapeCache {
  readonly #shapes = new Map<string, Shape>()
  readonly #capacity: number
  #parameters = 0

  constructor(capacity = 500) {
    this.#capacity = capacity
  }

  get(key: string, compile: () => Shape): Shape {
    const known = this.#shapes.get(key)
    if (known) return known
    const shape = compile()
    // One that would push most of the others out is not worth its place.
    if (shape.parameters.length * 4 > mostParameters) return shape
    this.#shapes.set(key, shape)
    this.#parameters += shape.parameters.length
    while (this.#shapes.size > this.#capacity || this.#parameters > mostParameters) this.#forgetOldest()
    return shape
  }

  #forgetOldest(): void {
    for (const [key, shape] of this.#shapes) {
      this.#shapes.delete(key)
      this.#parameters -= shape.parameters.length
      return
    }
  }
}

/** Sizes of lists in statements: a few sizes, so that a few statements serve lists of any length. */
const sizes = [1, 4, 16, 64, 256] as const

/** The smallest size that holds so many, or the largest there is. */
export function listSize(count: number): number {
  return sizes.find((size) => size >= count) ?? 256
}

/** Cuts a list into pieces of the sizes there are, the largest first. */
export function piecesOf<T>(items: readonly T[], largest: number): T[][] {
  const pieces: T[][] = []
  let start = 0
  while (start < items.length) {
    const left = items.length - start
    const size = sizes.findLast((candidate) => candidate <= left && candidate <= largest) ?? 1
    pieces.push(items.slice(start, start + size))
    start += size
  }
  return pieces
}
