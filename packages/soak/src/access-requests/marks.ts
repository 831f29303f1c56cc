import { inflateRawSync } from 'node:zlib'
import type { ValueMark } from '../requests/values.ts'

/** Tenants, and what stands in all their values. The generator makes no such texts, years or numbers by itself. */
export const tenantMarks = {
  red: { text: 'qzred7xk', year: 7_101, number: 710_100_000 },
  blue: { text: 'qzblu4vw', year: 7_202, number: 720_200_000 },
} as const satisfies Readonly<Record<string, ValueMark>>

export type Tenant = keyof typeof tenantMarks
export const tenants = Object.keys(tenantMarks) as Tenant[]

/** Stands in every password, and in secret fields: it is in no answer and in no log. */
export const secretMark = 'qzpw3nsy'

/** The forms in which a text stands in base64, wherever in the encoded bytes it begins. */
function base64Forms(text: string): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.from(`${'\0'.repeat(shift)}${text}`)
      .toString('base64')
      .replaceAll('=', '')
    // The first and last characters hold bits of the neighbours, too.
    return encoded.slice(shift === 0 ? 0 : shift + 1, -1)
  })
}

/** Finds a text in any case, in base64 and in hexadecimal. */
function textPattern(text: string): RegExp {
  const hex = Buffer.from(text).toString('hex')
  return new RegExp(`(?:${[anyCase(text), ...base64Forms(text).map((form) => form.replaceAll(/[+/]/g, '\\$&')), hex].join('|')})`)
}

function anyCase(text: string): string {
  return text.replaceAll(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`)
}

const patterns = new Map(
  tenants.map((tenant) => {
    const { text, year, number } = tenantMarks[tenant]
    const numbers = `(?<![\\d.a-f-])${String(number).slice(0, 4)}\\d{5}(?![\\d.])`
    return [tenant, new RegExp(`${textPattern(text).source}|(?<!\\d)${year}-\\d\\d-\\d\\d(?!\\d)|${numbers}`)] as const
  }),
)

const secrets = new RegExp(`${textPattern(secretMark).source}|\\$argon2id\\$|n0t-so-random`)
const uuids = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/gi

const shared = /"(?:request|transaction)_id":"[^"]*"/g

/** Knows whose bytes are whose. */
export class Marks {
  /** Ids that answers gave, with the tenant whose records they are. */
  readonly #owners = new Map<string, Tenant>()

  /** Keeps the ids of records that a tenant was shown. */
  learn(tenant: Tenant, text: string): void {
    // What operators sow in one request is of several tenants, and has that request's name.
    for (const [id] of text.replaceAll(shared, '').matchAll(uuids)) if (!this.#owners.has(id)) this.#owners.set(id, tenant)
  }

  /** What is in a text that is for one tenant, or for nobody, and belongs to another: not what the request said itself. */
  strange(text: string, own: Tenant | undefined, sent: string): string | undefined {
    for (const tenant of tenants) {
      if (tenant === own) continue
      const found = patterns.get(tenant)?.exec(text)?.[0]
      if (found !== undefined && !sent.includes(found)) return `${tenant}'s ${around(text, found)}`
    }
    for (const [id] of text.matchAll(uuids)) {
      const owner = this.#owners.get(id)
      if (owner !== undefined && owner !== own && !sent.includes(id)) return `${owner}'s ${around(text, id)}`
    }
    return undefined
  }
}

/** A secret in a text that nobody is to see, but for what the request said itself. */
export function secretIn(text: string, sent = ''): string | undefined {
  const found = secrets.exec(text)?.[0]
  return found === undefined || sent.includes(found) ? undefined : around(text, found)
}

function around(text: string, found: string): string {
  const at = text.indexOf(found)
  return JSON.stringify(text.slice(Math.max(0, at - 60), at + 80))
}

/** All that an answer says, its files unpacked. */
export function textOf(body: string, file: Buffer | undefined): string {
  if (!file || !body.startsWith('PK\x03\x04')) return body
  return [body, ...unpacked(file)].join('\n')
}

/** The files of a zip archive, by its directory at the end. */
function unpacked(zip: Buffer): string[] {
  const files: string[] = []
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06'))
  let at = end < 0 ? zip.length : zip.readUInt32LE(end + 16)
  while (at + 46 <= zip.length && zip.toString('latin1', at, at + 4) === 'PK\x01\x02') {
    const [nameLength, extraLength, commentLength] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32)]
    const [method, size, local] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 42)]
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
    const packed = zip.subarray(start, start + size)
    files.push(zip.toString('utf8', at + 46, at + 46 + nameLength), (method === 8 ? inflateRawSync(packed) : packed).toString('utf8'))
    at += 46 + nameLength + extraLength + commentLength
  }
  return files
}
