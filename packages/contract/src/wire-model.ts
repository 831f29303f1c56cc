/** The types of a model's records as they travel: 64-bit integers, instants and bytes are text. No value of this shape exists at run time. */
export interface WireTypes {
  readonly id: string | number
  /** A record as it is answered: every field that may be seen, null where it is absent. */
  readonly row: object
  /** What a request may send to make a record. */
  readonly insert: object
  /** What a request may change in a record. */
  readonly update: object
  /** Names of the fields that hold text, and can be searched in. */
  readonly text: string
  /** The models that references lead to, by the name that `include` has for them. */
  readonly references: object
}

/** What a client needs to know of a model: types, and nothing at run time. Every model of the core is one. */
export interface WireModel<Types extends WireTypes = WireTypes> {
  /** Carries the types; always undefined. */
  readonly '~wire'?: Types
}
