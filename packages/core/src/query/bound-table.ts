import { sql } from 'kysely'
import type { Codec, Engine, StoredRow } from '../engine/engine.ts'
import type { AnyModel, Field } from '../model/model.ts'
import { same } from '../model/value-types/value-type.ts'
import type { CallerContext } from '../session/context.ts'
import type { Filter } from './filter.ts'
import { ShapeCache } from './shape.ts'

/** A record inside the library: the model's fields by name, in code form. */
export type FieldValues = Record<string, unknown>

/** A model's table in an open database: how its values are stored, and the statements that were compiled for it. */
export class BoundTable {
  readonly model: AnyModel
  readonly engine: Engine
  readonly shapes = new ShapeCache()
  /** Which records a caller may read, where that is limited; set once, when the storage opens. */
  readable: ((caller: CallerContext) => Filter) | undefined
  /** The names of the columns that make up a record; row_version is not among them. */
  readonly recordColumns: readonly string[]
  /** The fields of records whose values the database does not write in JSON as the program would. */
  readonly unwritten: ReadonlySet<string>
  /** Whether the database writes images of records, as they stand in the log, as the program would. */
  readonly spelt: boolean
  /** The text of statements that read one record by its id, by the columns that they read. */
  readonly byId = new WeakMap<readonly string[], Map<string, string>>()
  readonly #codecs: ReadonlyMap<string, Codec>
  readonly #decoders: readonly (readonly [string, Codec['decode']])[]
  readonly #wireSteps: readonly (readonly [string, Codec['decode']])[]

  constructor(model: AnyModel, engine: Engine) {
    this.model = model
    this.engine = engine
    const visible = model.fields.filter((field) => !field.hidden)
    this.recordColumns = visible.map((field) => field.name)
    this.unwritten = new Set(visible.filter((field) => !engine.json?.value(field, sql.ref(field.name))).map((field) => field.name))
    const { spells, mostFields = 0 } = engine.entryChanges ?? {}
    this.spelt = visible.length <= mostFields && visible.every((field) => field.secret || spells?.(field))
    this.#codecs = new Map(model.fields.map((field) => [field.name, engine.codec(field)]))
    this.#decoders = visible.flatMap((field) => this.#decoderOf(field))
    this.#wireSteps = visible.flatMap((field) => this.#wireStepOf(field))
  }

  /** A value in the engine's form. */
  readonly encode = (field: string, value: unknown): unknown => {
    if (value === null || value === undefined) return null
    const codec = this.#codecs.get(field)
    return codec === undefined || codec.identity ? value : codec.encode(value)
  }

  /** How the values of a field get the engine's form; undefined where they have it. */
  encoder(field: string): Codec['encode'] | undefined {
    const codec = this.#codecs.get(field)
    return codec && !codec.identity ? codec.encode : undefined
  }

  /** Turns a stored row, in place, into a record. */
  decode(stored: StoredRow): FieldValues {
    for (const [name, decode] of this.#decoders) {
      const value = stored[name]
      if (value !== null && value !== undefined) stored[name] = decode(value)
    }
    return stored
  }

  /** Turns a stored row, in place, into a record in wire form, for those who would make nothing but JSON of it. */
  toWire(stored: StoredRow): FieldValues {
    for (const [name, toWire] of this.#wireSteps) {
      const value = stored[name]
      if (value !== null && value !== undefined) stored[name] = toWire(value)
    }
    return stored
  }

  /** Turns one stored value of a field into code form. */
  decodeField(field: string, stored: unknown): unknown {
    if (stored === null || stored === undefined) return null
    return this.#codecs.get(field)?.decode(stored)
  }

  #decoderOf(field: Field): (readonly [string, Codec['decode']])[] {
    const codec = this.#codecs.get(field.name)
    return codec && !codec.identity ? [[field.name, codec.decode]] : []
  }

  #wireStepOf({ name, toJson }: Field): (readonly [string, Codec['decode']])[] {
    const codec = this.#codecs.get(name)
    if (!codec) return []
    const { identity, decode, isWire } = codec
    if (identity) return toJson === same ? [] : [[name, toJson]]
    if (isWire) return [[name, (stored) => (isWire(stored) ? stored : toJson(decode(stored)))]]
    return [[name, toJson === same ? decode : (stored) => toJson(decode(stored))]]
  }
}

/** A value of a record, or null where it has none, in the engine's form: by what `encoder` answers for its field. */
export function encodedBy(encode: Codec['encode'] | undefined, value: unknown): unknown {
  const known = value ?? null
  return encode && known !== null ? encode(known) : known
}
