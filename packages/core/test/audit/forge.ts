import { type LeafFields, leafHash, leafText, linkHash, merkleRoot, originHash } from '../../src/audit/digest.ts'
import { payloadHash } from '../../src/audit/payload.ts'
import { type Row, rawDatabase } from './raw-database.ts'

const log = 'strongroom_audit_log'
const head = 'strongroom_audit_head'

/**
 * Makes a log fit together again after somebody has changed it, as one could who has the database and this library: every hash from the
 * first entry on is computed anew, and the head set to the last. The triggers must be gone.
 */
export async function forge(url: string): Promise<void> {
  const database = await rawDatabase(url)
  try {
    const [{ origin } = {}] = await database.all(`SELECT origin FROM ${head}`)
    let previous: Uint8Array = originHash(String(origin))
    let last: LeafFields | undefined
    const rows = await database.all(`SELECT * FROM ${log} ORDER BY seq`)
    for (const link of linksOf(rows)) {
      const entries = link.map(entryOf)
      const leaves = entries.map((entry) => leafHash(leafText(entry)))
      const hash = linkHash(previous, merkleRoot(leaves))
      for (const [index, entry] of entries.entries()) {
        const leaf = leaves.length > 1 ? bytes(url, leaves[index]) : 'NULL'
        const payload = bytes(url, entry.payload_hash)
        await database.run(
          `UPDATE ${log} SET payload_hash = ${payload}, prev_hash = ${bytes(url, previous)}, hash = ${bytes(url, hash)}, leaf = ${leaf} WHERE id = ${entry.id}`,
        )
      }
      previous = hash
      last = entries.at(-1)
    }
    await database.run(`UPDATE ${head} SET seq = ${last?.seq ?? 0}, hash = ${bytes(url, previous)}`)
  } finally {
    await database.close()
  }
}

function linksOf(rows: readonly Row[]): Row[][] {
  const links: Row[][] = []
  for (const row of rows) {
    const before = links.at(-1)?.[0]
    const goesOn = before && row['leaf'] !== null && Buffer.compare(before['hash'] as Uint8Array, row['hash'] as Uint8Array) === 0
    if (goesOn) links.at(-1)?.push(row)
    else links.push([row])
  }
  return links
}

function entryOf(row: Row): LeafFields {
  const text = (name: string) => row[name] as string
  const [id, seq, epoch, schema_version] = ['id', 'seq', 'epoch', 'schema_version'].map((name) => Number(row[name]))
  const salt = row['salt'] as Uint8Array | null
  return {
    ...(row as unknown as LeafFields),
    ...({ id, seq, epoch, schema_version } as { id: number; seq: number; epoch: number; schema_version: number }),
    timestamp: new Date(text('timestamp')),
    effective_at: new Date(text('effective_at')),
    payload_hash: salt ? payloadHash(salt, text('before'), text('after')) : (row['payload_hash'] as Uint8Array),
  }
}

function bytes(url: string, value: Uint8Array | undefined): string {
  const hex = Buffer.from(value ?? []).toString('hex')
  return url.startsWith('sqlite:') ? `x'${hex}'` : `'\\x${hex}'::bytea`
}
