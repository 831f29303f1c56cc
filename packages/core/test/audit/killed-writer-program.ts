import { defineModel, ModelAccessor, openStorage } from '@strongroom/core'
import { Type } from 'typebox'

// Writes until it is killed, and tells of each write that was acknowledged.
const notes = new ModelAccessor(defineModel('notes', { text: Type.String() }), 'notes')
await openStorage({ url: process.argv[2] ?? '', accessors: [notes] })
let acknowledged = 0
await Promise.all(
  Array.from({ length: 8 }, async () => {
    for (;;) {
      await notes.insert({ text: 'x' })
      process.stdout.write(`acknowledged ${++acknowledged}\n`)
    }
  }),
)
