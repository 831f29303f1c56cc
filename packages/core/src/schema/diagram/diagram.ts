import { UsageError } from '../../errors.ts'
import { systemModels } from '../system-tables.ts'
import { layOut } from './lay-out.ts'
import { type PicturedModel, pictureOf } from './picture.ts'
import { toDot } from './to-dot.ts'

/** What a diagram can be told. */
export interface DiagramOptions {
  /** `svg`, a picture, or `dot`, its source in the language of Graphviz; `svg` unless said. */
  readonly format?: DiagramFormat
  /** Shows the library's own tables too: the audit log, kept answers. */
  readonly system?: boolean
}

/** What a diagram can be drawn as. */
export const diagramFormats = ['svg', 'dot'] as const

export type DiagramFormat = (typeof diagramFormats)[number]

/** The diagrams of one storage, whose models stay what they are: each is drawn once. */
export class Diagrams {
  readonly #models: readonly PicturedModel[]
  readonly #drawn = new Map<boolean, Promise<string>>()

  constructor(models: readonly PicturedModel[]) {
    this.#models = models
  }

  async diagram(options: DiagramOptions): Promise<string> {
    const { format, system } = readOptions(options)
    if (format === 'dot') return this.#dot(system)
    const drawn = this.#drawn.get(system) ?? layOut(this.#dot(system))
    this.#drawn.set(system, drawn)
    try {
      return await drawn
    } catch (error) {
      this.#drawn.delete(system)
      throw error
    }
  }

  #dot(system: boolean): string {
    return toDot(pictureOf([...this.#models, ...(system ? systemModels.map((model) => ({ model })) : [])]))
  }
}

function readOptions(options: DiagramOptions): Required<DiagramOptions> {
  const { format = 'svg', system = false, ...others } = options
  const [stranger] = Object.keys(others)
  if (stranger !== undefined) refuse(`"${stranger}" is no option of diagram. There are format, system.`)
  if (!diagramFormats.includes(format)) refuse(`The format of a diagram is one of ${diagramFormats.join(', ')}.`)
  if (typeof system !== 'boolean') refuse('The option system of diagram is true or false.')
  return { format, system }
}

function refuse(message: string): never {
  throw new UsageError('invalid_options', message)
}
