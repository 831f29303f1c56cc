import type { WireSchema } from '@strongroom/contract'
import type { Json } from './source.ts'

/** The rooms of a document's components that hold what several places point to. */
type Kind = 'schemas' | 'parameters' | 'headers' | 'examples'

/** Collects what stands once in the document and is pointed to. */
export class Shelf {
  private readonly rooms = new Map<Kind, Map<string, unknown>>()

  /** Points to the value, which is put there under the name; where another one has the name, the value itself. */
  share(kind: Kind, name: string, value: Json): Json {
    const room = this.rooms.get(kind) ?? new Map<string, unknown>()
    this.rooms.set(kind, room)
    const known = room.get(name)
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(value)) return value
    room.set(name, value)
    return { $ref: `#/components/${kind}/${name}` }
  }

  /** Everything that was put there. */
  components(): Json {
    return Object.fromEntries([...this.rooms].map(([kind, room]) => [kind, Object.fromEntries(room)]))
  }
}

/** Points to a schema of the document. Names of components have no dots, so ours cannot meet theirs. */
export function reference(name: string): WireSchema {
  return { $ref: `#/components/schemas/${name}` }
}
