import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { StrongroomError } from '@strongroom/core'
import { formError, openForm, shown } from './open-form.ts'

/**
 * The file of a form that has one part, the field `file`. It ends after the form's last boundary, and not before everything was in order.
 * Throws `bad_request` for a form with other parts, without a file, or one that was cut off.
 */
export async function* fileOfForm(headers: IncomingHttpHeaders, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const form = openForm(headers)
  const found = Promise.withResolvers<Readable>()
  let file: Readable | undefined
  const refuse = (sentence: string): void => void form.destroy(new StrongroomError('bad_request', sentence))
  form.on('file', (field, stream) => {
    if (file || field !== 'file') {
      // Nobody listens to it, and its errors are those of the form.
      stream.on('error', () => undefined).resume()
      return refuse(file ? 'The form has more than one file. Send one.' : `The form has a file in "${shown(field)}". Send it as "file".`)
    }
    file = stream
    found.resolve(stream)
  })
  form.on('field', (field) => refuse(`The form has a field "${shown(field)}". Send the file alone, as a file in the field "file".`))
  const whole = pipeline(body, form)
  whole.then(
    () => found.reject(new StrongroomError('bad_request', 'The form has no file. Send one in the field "file".')),
    (error) => {
      found.reject(error)
      file?.destroy(error)
    },
  )
  try {
    // Both ends of a form are streams of bytes.
    yield* (await found.promise) as AsyncIterable<Uint8Array>
    await whole
  } catch (error) {
    throw formError(error)
  } finally {
    form.destroy()
  }
}
