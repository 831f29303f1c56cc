import type { AnyModel } from '../model/model.ts'
import { perModel } from '../model/per-model.ts'
import { secretMark } from '../model/record-json.ts'
import { standingRenames } from '../model/renamed-fields.ts'
import type { AuditEntry } from './entry.ts'

/** How the images of a component are shown. */
export interface ImageLimits {
  readonly model: AnyModel
  /** Fields that are left out. */
  readonly hidden: ReadonlySet<string>
  /** Fields of which no value is shown: one may have become a secret after it was logged. */
  readonly secret: ReadonlySet<string>
}

const none: ReadonlySet<string> = new Set()

const secretsOf = perModel((model) => new Set(model.fields.filter((field) => field.secret && !field.hidden).map(({ name }) => name)))

/** How the images of a model are shown, of which some fields may be hidden; undefined where they are shown as they stand in the log. */
export function imageLimits(model: AnyModel, hidden: ReadonlySet<string> = none): ImageLimits | undefined {
  const secret = secretsOf(model)
  return hidden.size === 0 && secret.size === 0 ? undefined : { model, hidden, secret }
}

/** An entry as it is shown. Every way out of the log passes here: the log itself, the history of a record, the feed of changes. */
export function shownEntry(entry: AuditEntry, limits: ImageLimits | undefined): AuditEntry {
  return limits ? { ...entry, before: shownImage(entry.before, limits), after: shownImage(entry.after, limits) } : entry
}

function shownImage(image: AuditEntry['before'], { model, hidden, secret }: ImageLimits): AuditEntry['before'] {
  if (image === null) return null
  // What the field was called when the image was written does not make its value less hidden.
  const names = model.renamedFields.size === 0 ? undefined : standingRenames(model, (name) => Object.hasOwn(image, name))
  const shown: Record<string, unknown> = {}
  for (const [written, value] of Object.entries(image)) {
    const name = names?.get(written) ?? written
    if (!hidden.has(name)) shown[written] = secret.has(name) ? secretMark : value
  }
  return shown
}
