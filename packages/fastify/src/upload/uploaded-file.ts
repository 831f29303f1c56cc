import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { databaseTypes } from '@strongroom/contract'
import { fileOfForm } from './file-of-form.ts'
import { openUpload } from './open-upload.ts'

/**
 * The one file of a request, as it comes: a form's field `file`, or the whole body. It ends when the request has been read to its end and
 * was in order; else it fails, with `bad_request` or `payload_too_large`.
 *
 * @param limit bytes that the file may have
 * @throws StrongroomError `payload_too_large` where the request itself says so, `unsupported_media_type`, `bad_request` without a body
 */
export function uploadedFile(request: IncomingMessage, limit: number): Readable {
  const { isForm, bytes } = openUpload(request, { limit, types: databaseTypes, advice })
  return Readable.from(isForm ? fileOfForm(request.headers, bytes) : bytes, { objectMode: false })
}

const advice = `Send the file as the field "file" of multipart/form-data, or alone as ${databaseTypes.join(' or ')}.`
