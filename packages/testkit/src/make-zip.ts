import { crc32, deflateRawSync } from 'node:zlib'

/** A file of an archive, and what the archive says of it besides, true or not. */
export interface ZippedFile {
  readonly name: string
  readonly content: string | Uint8Array
  /** Bytes that it claims to have when it is unpacked. */
  readonly claimedSize?: number
  readonly claimedSum?: number
  /** The general purpose bits; 1 means encrypted. */
  readonly flags?: number
  /** The mode that Unix would give it, its type in the upper bits. */
  readonly mode?: number
}

/** Packs an archive as the format has it (APPNOTE 6.3), including what no honest tool would pack. */
export function makeZip(files: readonly ZippedFile[]): Buffer<ArrayBuffer> {
  const bodies: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const file of files) {
    const name = Buffer.from(file.name)
    const content = Buffer.from(file.content)
    const packed = deflateRawSync(content)
    const size = file.claimedSize ?? content.length
    const sum = file.claimedSum ?? crc32(content)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(file.flags ?? 0, 2)
    common.writeUInt16LE(8, 4)
    common.writeUInt32LE(sum, 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(size, 18)
    common.writeUInt16LE(name.length, 22)
    const body = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, packed])
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(((file.mode ?? 0o100644) << 16) >>> 0, 6)
    rest.writeUInt32LE(offset, 10)
    // Made by Unix (3): only there the attributes have a mode.
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), common, rest, name]))
    bodies.push(body)
    offset += body.length
  }
  const entries = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(files.length, 4)
  end.writeUInt16LE(files.length, 6)
  end.writeUInt32LE(entries.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...bodies, entries, Buffer.from('PK\x05\x06'), end])
}
