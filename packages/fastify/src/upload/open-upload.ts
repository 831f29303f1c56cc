import type { IncomingMessage } from 'node:http'
import { StrongroomError } from '@strongroom/core'
import { requestBytes } from './request-bytes.ts'

/** What a route takes. */
export interface UploadRules {
  /** Bytes. */
  readonly limit: number
  /** The media types of a body that is a file on its own. */
  readonly types: readonly string[]
  /** A sentence that says how files are sent. */
  readonly advice: string
}

/** The body of a request, which has not been read yet. */
export interface Upload {
  readonly isForm: boolean
  /** Without its parameters, in lower case. */
  readonly mediaType: string
  readonly bytes: AsyncGenerator<Uint8Array>
}

/** Bytes of a form beside its files: boundaries and headers. */
const formOverhead = 65_536

/**
 * Looks at the headers of an upload.
 * @throws StrongroomError `payload_too_large` where the request itself says so, `unsupported_media_type`, `bad_request` without a body
 */
export function openUpload(request: IncomingMessage, { limit, types, advice }: UploadRules): Upload {
  const { 'content-type': type, 'content-length': length, 'content-encoding': encoding = 'identity' } = request.headers
  if (type === undefined && (length ?? '0') === '0' && request.headers['transfer-encoding'] === undefined) {
    throw new StrongroomError('bad_request', `There is no file. ${advice}`)
  }
  const mediaType = type?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const isForm = mediaType === 'multipart/form-data'
  if (!isForm && !types.includes(mediaType)) throw new StrongroomError('unsupported_media_type', advice)
  if (encoding !== 'identity') throw new StrongroomError('unsupported_media_type', 'Send the file as it is, without Content-Encoding.')
  const most = isForm ? limit + formOverhead : limit
  const tooLarge = (): StrongroomError =>
    new StrongroomError('payload_too_large', `The file is larger than the ${limit} bytes that are taken.`)
  if (Number(length ?? 0) > most) throw tooLarge()
  return { isForm, mediaType, bytes: requestBytes(request, most, tooLarge) }
}
