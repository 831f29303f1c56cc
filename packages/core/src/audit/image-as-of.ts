import type { AnyModel } from '../model/model.ts'
import { standingRenames } from '../model/renamed-fields.ts'

/** An image of the log, in JSON form. */
export type Image = Readonly<Record<string, unknown>>

/**
 * An image of the audit log in the fields that its model has now. A field that the image does not have is taken from the old names that
 * the model declares for it (`renamedFields`), the newest first, and is null where it has none of them; what the model does not have any
 * more is left out. Values stay as they were written.
 *
 * Images have every field of their model, so what an image lacks tells more than its version does: a model whose `schemaVersion` was not
 * raised with a rename is read right all the same. The version only says whether the image may be of a model that is newer than this one,
 * of which nothing can be declared here; then it is answered as it is.
 *
 * @param model the model as it is now
 * @param schemaVersion what stands beside the image in the log, `schema_version`
 * @param image `before` or `after` of an entry
 */
export function imageAsOf(model: AnyModel, schemaVersion: number, image: Image): Image {
  if (schemaVersion > model.schemaVersion) return image
  const renames = standingRenames(model, (name) => Object.hasOwn(image, name))
  const oldNames = new Map([...renames].map(([old, name]) => [name, old]))
  const visible = model.fields.filter((field) => !field.hidden)
  return Object.fromEntries(
    visible.map(({ name }) => {
      const source = oldNames.get(name) ?? (renames.has(name) ? undefined : name)
      return [name, source !== undefined && Object.hasOwn(image, source) ? image[source] : null]
    }),
  )
}
