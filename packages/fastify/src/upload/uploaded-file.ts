import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { databaseTypes } from '@strongroom/contract'
import { StrongroomError } from '@strongroom/core'
import { fileOfForm } from './file-of-form.ts'
import { requestBytes } from './request-bytes.ts'

/** Bytes of a form beside its file: boundaries and headers. */
const formOverhead = 65_536

/**
 * The one file of a request, as it comes: a form's field `file`, or the whole body. It ends when the request has been read to its end and
 * was in order; else it fails, with `bad_request` or `payload_too_large`.
 *
 * @param limit bytes that the file may have
 * @throws StrongroomError `payload_too_large` where the request itself says so, `unsupported_media_type`, `bad_request` without a body
 */
export function uploadedFile(request: IncomingMessage, limit: number): Readable {
  const { 'content-type': type, 'content-length': length, 'content-encoding': encoding = 'identity' } = request.headers
  if (type === undefined && (length ?? '0') === '0' && request.headers['transfer-encoding'] === undefined) {
    throw new StrongroomError('bad_request', `There is no file. ${advice}`)
  }
  const mediaType = type?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const isForm = mediaType === 'multipart/form-data'
  if (!isForm && !databaseTypes.includes(mediaType)) throw new StrongroomError('unsupported_media_type', advice)
  if (encoding !== 'identity') throw new StrongroomError('unsupported_media_type', 'Send the file as it is, without Content-Encoding.')
  const most = isForm ? limit + formOverhead : limit
  const tooLarge = (): StrongroomError =>
    new StrongroomError('payload_too_large', `The file is larger than the ${limit} bytes that are taken.`)
  if (Number(length ?? 0) > most) throw tooLarge()
  const body = requestBytes(request, most, tooLarge)
  return Readable.from(isForm ? fileOfForm(request.headers, body) : body, { objectMode: false })
}

const advice = `Send the file as the field "file" of multipart/form-data, or alone as ${databaseTypes.join(' or ')}.`
