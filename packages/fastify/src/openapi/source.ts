import type { ErrorCode, ResponseStyle, WireSchema } from '@strongroom/contract'
import type { AnyModel, NamedInclusion } from '@strongroom/core'
import type { DescribedRoutes } from '../auth/authentication.ts'
import type { DialectName } from '../dialects/translate.ts'

/** A component as the document needs it; accessors are such. */
export interface DescribedComponent {
  readonly component: string
  readonly model: AnyModel
  /** What `include` can name; nothing where it is left out. */
  inclusions?(): readonly NamedInclusion[]
}

/** What the document is made from. */
export interface OpenApiSource {
  readonly components: readonly DescribedComponent[]
  /** Stands before every path. */
  readonly prefix: string
  /** The operators' routes are mounted. */
  readonly operators: boolean
  /** Where the system routes are. */
  readonly systemPaths: Readonly<Record<string, `/${string}` | false>>
  readonly pageSize: { readonly defaultLimit: number; readonly maxLimit: number }
  /** The `X-User` header names whoever writes. */
  readonly namesActor: boolean
  /** Ways to write queries beside ours. */
  readonly dialects: readonly DialectName[]
  /** What the document calls the API, and its version. */
  readonly info: { readonly title: string; readonly version: string }
  /** Errors that any route can answer with beside its own. */
  readonly announcedErrors: readonly ErrorCode[]
  /** What a request has to bring to say who it is from, by name; none where nothing is asked for. */
  readonly securitySchemes: Readonly<Record<string, Json>>
  /** Routes of the authentication, and of the program's own. */
  readonly describeOthers?: readonly ((prefix: string, problem: Json) => DescribedRoutes)[]
  /** How the server answers. */
  readonly responses: ResponseStyle
}

export type Json = Readonly<Record<string, unknown>>

/** An object that has these members and no others. */
export function closed(properties: Json, required: readonly string[] = Object.keys(properties)): WireSchema {
  return { type: 'object', additionalProperties: false, ...(required.length > 0 && { required }), properties }
}

/** A value of the schema, or null. */
export function orNull(schema: WireSchema): WireSchema {
  return { anyOf: [schema, { type: 'null' }] }
}

/** TypeBox's types say nothing of the members. */
export function plain(schema: object): WireSchema {
  return schema as WireSchema
}

/** The properties of an object's schema. */
export function propertiesOf(schema: object): Readonly<Record<string, WireSchema>> {
  return (Reflect.get(schema, 'properties') as Record<string, WireSchema> | undefined) ?? {}
}
