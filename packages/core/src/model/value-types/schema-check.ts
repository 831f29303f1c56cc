import { createRequire } from 'node:module'
import type { TSchema } from 'typebox'

type Compile = (schema: object) => {
  Check(value: unknown): boolean
  Errors(
    value: unknown,
  ): [boolean, { readonly keyword: string; readonly instancePath: string; readonly message: string; readonly params?: object }[]]
}

let compile: Compile | undefined

/** TypeBox's compiler takes 30 ms to load, and most models need none of it. */
function loadCompiler(): Compile {
  const loaded: { Compile: Compile } = createRequire(import.meta.url)('typebox/schema')
  return loaded.Compile
}

/** A check by TypeBox's own compiler, made when it is first needed. Where code must not be made from text, TypeBox interprets. */
export function schemaCheck(schema: TSchema): (value: unknown) => string | undefined {
  let validator: ReturnType<Compile> | undefined
  return (value) => {
    compile ??= loadCompiler()
    validator ??= compile(schema)
    if (validator.Check(value)) return undefined
    const [error] = validator.Errors(value)[1]
    if (!error) return 'must fit its schema'
    const said: unknown = error.params && 'message' in error.params ? error.params.message : undefined
    const message = error.keyword === '~refine' && typeof said === 'string' ? said : error.message
    return error.instancePath === '' ? message : `${error.instancePath}: ${message}`
  }
}

const annotations = new Set(['title', 'description', 'examples', 'deprecated', 'readOnly', 'writeOnly', '$id', '$schema', '$comment'])

/** A check of what a schema asks beyond the keywords that its field type checks by itself; undefined when that is nothing. */
export function remainingCheck(schema: TSchema, checked: readonly string[]): ((value: unknown) => string | undefined) | undefined {
  const remaining = Object.keys(schema).some((key) => !key.startsWith('~') && !annotations.has(key) && !checked.includes(key))
  return remaining || '~refine' in schema ? schemaCheck(schema) : undefined
}
