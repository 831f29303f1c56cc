import { open } from 'node:fs/promises'
import { giveWay } from './give-way.ts'

/** Bytes that are read at a time, 64 KiB: in large pieces a file is sooner through, and others wait longer. */
const pieceSize = 65_536

/** Reads a file piece by piece, and lets others have the event loop in between. */
export async function* filePieces(path: string): AsyncGenerator<Buffer, void, undefined> {
  const file = await open(path, 'r')
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(pieceSize), 0, pieceSize, null)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
      await giveWay()
    }
  } finally {
    await file.close()
  }
}
