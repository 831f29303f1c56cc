import { statSync } from 'node:fs'
import { openStorage } from '@strongroom/core'
import { documentAccessor } from './documents.ts'

/** Fills a SQLite file with documents, each with its audit entry: `node seed-documents.ts FILE BYTES`. */
const [, , file = '', bytes = '0'] = process.argv
const documents = documentAccessor()
const storage = await openStorage({
  url: `sqlite:${file}`,
  accessors: [documents],
  sqlite: { synchronous: 'NORMAL' },
  transactionTimeLimit: 60_000,
})
const words = 'a vault keeps what is given to it and tells nobody but its owner of what there is'.split(' ')
let made = 0
while (statSync(file).size < Number(bytes)) {
  const batch = Array.from({ length: 2_000 }, () => {
    const number = ++made
    const content = Array.from({ length: 120 }, (_, index) => words[(number * 7 + index * (1 + (number % 11))) % words.length]).join(' ')
    return { writer: -1, number, title: `Document ${number}`, content }
  })
  await documents.insertMany(batch, { actor: 'bench' })
}
await storage.close()
process.stdout.write(String(made))
