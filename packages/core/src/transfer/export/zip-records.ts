/** A file that stands in an archive. */
export interface ArchivedFile {
  readonly name: string
  readonly time: Date
  /** Bytes before its header. */
  readonly start: number
  /** CRC-32 of the file. */
  readonly checksum: number
  /** Bytes of the file. */
  readonly size: number
  /** Bytes that stand in the archive. */
  readonly packedSize: number
}

// Numbers of sections are those of the format's description: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT

/** What is larger stands in a field of eight bytes elsewhere ("Zip64"), and this in its place. */
const most32 = 0xffff_ffff
const most16 = 0xffff

/** Versions that whoever unpacks has to know, 4.4.3: 2.0 for deflated files, 4.5 for sizes of eight bytes. */
const [plainVersion, zip64Version] = [20, 45]
/** 4.4.2: the attributes are those of a Unix. */
const madeBy = (3 << 8) | zip64Version
/** 4.4.4: checksum and sizes follow the file; names are in UTF-8. */
const flags = (1 << 3) | (1 << 11)
const deflated = 8
/** A plain file that its owner may change and everybody read. */
const attributes = (0o100_644 << 16) >>> 0

/** What stands before a file (4.3.7). */
export function fileHeader(name: string, time: Date): Buffer {
  const bytes = Buffer.from(name)
  const [day, clock] = dosTime(time)
  // Checksum and sizes are not known yet.
  return Buffer.concat([
    numbers(
      [4, 0x0403_4b50],
      [2, plainVersion],
      [2, flags],
      [2, deflated],
      [2, clock],
      [2, day],
      [4, 0],
      [4, 0],
      [4, 0],
      [2, bytes.length],
      [2, 0],
    ),
    bytes,
  ])
}

/** What stands behind a file (4.3.9). */
export function fileTrailer({ checksum, size, packedSize }: ArchivedFile): Buffer {
  const width = size > most32 || packedSize > most32 ? 8 : 4
  return numbers([4, 0x0807_4b50], [4, checksum], [width, packedSize], [width, size])
}

/** What stands behind all files: their table (4.3.12), and where it is (4.3.14 to 4.3.16). `start` are the bytes before it. */
export function archiveEnd(files: readonly ArchivedFile[], start: number): Buffer {
  const table = Buffer.concat(files.map(tableEntry))
  const counts = [files.length, files.length] as const
  const end = start + table.length
  const large = files.length >= most16 || table.length >= most32 || start >= most32
  const zip64 = large
    ? [
        numbers([4, 0x0606_4b50], [8, 44], [2, madeBy], [2, zip64Version], [4, 0], [4, 0]),
        numbers([8, counts[0]], [8, counts[1]], [8, table.length], [8, start]),
        numbers([4, 0x0706_4b50], [4, 0], [8, end], [4, 1]),
      ]
    : []
  const count = Math.min(files.length, most16)
  const place = numbers([2, count], [2, count], [4, Math.min(table.length, most32)], [4, Math.min(start, most32)], [2, 0])
  return Buffer.concat([table, ...zip64, numbers([4, 0x0605_4b50], [2, 0], [2, 0]), place])
}

function tableEntry({ name, time, start, checksum, size, packedSize }: ArchivedFile): Buffer {
  const bytes = Buffer.from(name)
  const [day, clock] = dosTime(time)
  // 4.5.3: in this order, and only what has no room in its own place.
  const wide = [size, packedSize, start].filter((value) => value >= most32)
  const extra = wide.length === 0 ? Buffer.alloc(0) : numbers([2, 1], [2, wide.length * 8], ...wide.map((value) => [8, value] as const))
  const version = wide.length === 0 ? plainVersion : zip64Version
  return Buffer.concat([
    numbers([4, 0x0201_4b50], [2, madeBy], [2, version], [2, flags], [2, deflated], [2, clock], [2, day], [4, checksum]),
    numbers([4, Math.min(packedSize, most32)], [4, Math.min(size, most32)], [2, bytes.length], [2, extra.length], [2, 0]),
    numbers([2, 0], [2, 0], [4, attributes], [4, Math.min(start, most32)]),
    bytes,
    extra,
  ])
}

/** Little-endian numbers of so many bytes each. */
function numbers(...fields: readonly (readonly [width: 2 | 4 | 8, value: number])[]): Buffer {
  const bytes = Buffer.alloc(fields.reduce((sum, [width]) => sum + width, 0))
  let place = 0
  for (const [width, value] of fields) {
    if (width === 8) bytes.writeBigUInt64LE(BigInt(value), place)
    else bytes.writeUIntLE(value, place, width)
    place += width
  }
  return bytes
}

/** 4.4.6: two numbers of 16 bits, to two seconds, in UTC. */
function dosTime(time: Date): readonly [day: number, clock: number] {
  const day = ((time.getUTCFullYear() - 1980) << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate()
  const clock = (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1)
  return [day, clock]
}
