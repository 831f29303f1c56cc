import type { Breakage } from './breakage.ts'
import type { Dice } from './dice.ts'
import type { ApiDocument, Operation, Schema } from './document.ts'
import type { Pool } from './pool.ts'
import type { Draft } from './request.ts'

const boundary = 'x-strongroom-boundary'

/** Whether a body is no JSON: a file on its own, or a form with one. */
export function isFileBody({ mediaType }: Operation['bodies'][number]): boolean {
  return !mediaType.endsWith('json')
}

/** The media types of the files that an operation takes. */
export function filesOf({ bodies }: Operation, document: ApiDocument): string[] {
  return bodies.flatMap(({ schema }) => {
    const { contentMediaType, properties = {} } = document.follow(schema)
    const types = [contentMediaType, ...Object.values(properties).map((property) => document.follow(property).contentMediaType)]
    return types.filter((type) => type !== undefined)
  })
}

/** Gives the draft a file that an earlier answer brought, in the form that the body's media type has. */
export function setFile(draft: Draft, { mediaType, schema }: Operation['bodies'][number], document: ApiDocument, pool: Pool): void {
  const followed = document.follow(schema)
  draft.headers['content-type'] = mediaType
  if (mediaType !== 'multipart/form-data') {
    draft.text = fileOf(followed, pool)
    return
  }
  const parts = Object.entries(followed.properties ?? {}).map(([name, member]) => [name, fileOf(document.follow(member), pool)] as const)
  draft.headers['content-type'] = `${mediaType}; boundary=${boundary}`
  draft.text = formOf(parts)
}

function fileOf({ contentMediaType = '' }: Schema, pool: Pool): Buffer {
  return pool.file(contentMediaType) ?? Buffer.from('there is none yet')
}

function formOf(parts: readonly (readonly [name: string, content: Buffer])[]): Buffer {
  const written = parts.flatMap(([name, content]) => {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n`
    return [Buffer.from(head), content, Buffer.from('\r\n')]
  })
  return Buffer.concat([...written, Buffer.from(`--${boundary}--\r\n`)])
}

/** What is wrong with a file. */
export const fileBreakages: readonly Breakage[] = [
  {
    kind: 'a broken file',
    mustBeRefused: true,
    apply(draft, { dice }) {
      const broken = brokenFile(draft, dice)
      if (broken === undefined) return false
      draft.text = broken
      return true
    },
  },
]

/** What is no such file, in the form that the draft has. */
function brokenFile(draft: Draft, dice: Dice): string | Buffer | undefined {
  if (!Buffer.isBuffer(draft.text)) return undefined
  const nonsense = dice.pick([
    Buffer.from('nonsense'),
    Buffer.from('SQLite format 3\0'),
    Buffer.alloc(100_000),
    Buffer.from('PK\x03\x04'),
    draft.text.subarray(0, draft.text.length / 2),
  ])
  if (!String(draft.headers['content-type']).startsWith('multipart')) return nonsense
  return dice.pick([
    formOf([['file', nonsense]]),
    formOf([['no_such_part', nonsense]]),
    formOf([]),
    draft.text.subarray(0, draft.text.length - 10),
    Buffer.from(`--${boundary}`),
    nonsense,
  ])
}
