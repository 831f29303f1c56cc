/** The slice of a JSON Schema that requests are made from. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly format?: string
  readonly pattern?: string
  readonly contentEncoding?: string
  readonly contentMediaType?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly required?: readonly string[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
}

/** A parameter of an operation. */
export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  /** A list is written with the name for each item unless this is false. */
  readonly explode?: boolean
  readonly schema: Schema
}

/** One operation, with all references of its parameters, bodies and answers followed. */
export interface Operation {
  /** `GET /users/{id}` */
  readonly name: string
  readonly method: string
  readonly path: string
  /** Operations with the same tag are about the same records. */
  readonly tag: string
  readonly description: string
  readonly parameters: readonly Parameter[]
  readonly bodies: readonly { readonly mediaType: string; readonly schema: Schema }[]
  /** The schema of the first answer of 2xx. */
  readonly answer: Schema | undefined
  /** The media types of the first answer of 2xx. */
  readonly answerTypes: readonly string[]
}

interface Described {
  readonly $ref?: string
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>
}

interface DescribedOperation {
  readonly tags?: readonly string[]
  readonly description?: string
  readonly parameters?: readonly (Parameter & { readonly $ref?: string })[]
  readonly requestBody?: Described
  readonly responses?: Readonly<Record<string, Described>>
}

/** An OpenAPI document, as the generator reads it. */
export class ApiDocument {
  readonly raw: object
  readonly operations: readonly Operation[]

  constructor(raw: object) {
    this.raw = raw
    // `checkAnswer` holds the answers against the whole document; here only what requests are made from is read.
    const { paths } = raw as { readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>> }
    this.operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, described]) => this.#operation(method.toUpperCase(), path, described)),
    )
  }

  /** Follows references to the schema, parameter or answer itself. */
  follow<T extends { readonly $ref?: string }>(value: T): T {
    if (value.$ref === undefined) return value
    let found: unknown = this.raw
    for (const step of value.$ref.slice(2).split('/')) {
      const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
      found = typeof found === 'object' && found !== null ? Reflect.get(found, name) : undefined
    }
    if (typeof found !== 'object' || found === null) throw new Error(`${value.$ref} leads nowhere`)
    // A reference stands where the thing itself would.
    return this.follow(found as T)
  }

  /** The forms that a schema allows, one after the other: the branches of `anyOf` and `oneOf`, or itself. */
  forms(schema: Schema): Schema[] {
    const followed = this.follow(schema)
    const branches = followed.oneOf ?? followed.anyOf
    return branches ? branches.flatMap((branch) => this.forms(branch)) : [followed]
  }

  /** The members of the records that an answer shows: of one record, or of each of a list. */
  membersOf(schema: Schema | undefined): Readonly<Record<string, Schema>> {
    if (!schema) return {}
    for (const form of this.forms(schema)) {
      if (form.properties?.['data']) return this.membersOf(form.properties['data'])
      if (form.properties) return form.properties
      if (form.items) return this.membersOf(form.items)
    }
    return {}
  }

  #operation(method: string, path: string, described: DescribedOperation): Operation {
    const { tags = [], description = '', parameters = [], requestBody, responses = {} } = described
    const good = Object.keys(responses).find((status) => status.startsWith('2'))
    const body = requestBody && this.follow(requestBody)
    const answer = good === undefined ? undefined : responses[good] && this.follow(responses[good])
    return {
      name: `${method} ${path}`,
      method,
      path,
      tag: tags[0] ?? '',
      description,
      parameters: parameters.map((parameter) => this.follow(parameter)),
      bodies: schemasOf(body),
      answer: schemasOf(answer)[0]?.schema,
      answerTypes: schemasOf(answer).map(({ mediaType }) => mediaType),
    }
  }
}

function schemasOf(described: Described | undefined): { mediaType: string; schema: Schema }[] {
  return Object.entries(described?.content ?? {}).map(([mediaType, { schema = {} }]) => ({ mediaType, schema }))
}

/** Whether a schema allows values of a JSON type. */
export function allows({ type }: Schema, wanted: string): boolean {
  return type === wanted || (Array.isArray(type) && type.includes(wanted))
}
