import type { AnyModel } from './model.ts'

const countedId = /^[1-9]\d{0,15}$/

/**
 * An id from a URL's path in code form; undefined when it has not the shape of this model's ids, and so names no record.
 *
 * @param text the path's step, percent-decoded
 * @example
 * ```ts
 * const User = defineModel('users', { name: Type.String() })
 * parseId(User, '7') // 7
 * parseId(User, '07') // undefined
 * ```
 */
export function parseId(model: AnyModel, text: string): unknown {
  if (model.idType === 'integer') {
    const id = countedId.test(text) ? Number(text) : undefined
    return Number.isSafeInteger(id) ? id : undefined
  }
  return isId(model, text) ? model.id.normalise(text) : undefined
}

/**
 * Whether a value in code form has the shape of this model's ids.
 *
 * @example
 * ```ts
 * const User = defineModel('users', { name: Type.String() })
 * isId(User, 7) // true
 * isId(User, '7') // false
 * ```
 */
export function isId(model: AnyModel, value: unknown): boolean {
  return value !== undefined && value !== null && model.id.check(value) === undefined
}
