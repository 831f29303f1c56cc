import { openStorage } from '@strongroom/core'
import { documentAccessor } from './documents.ts'

/** Fills a database with documents, each with its audit entry: `node seed-documents.ts URL BYTES`. Prints how many. */
const [, , url = '', bytes = '0'] = process.argv
const documents = documentAccessor()
const storage = await openStorage({ url, accessors: [documents], sqlite: { synchronous: 'NORMAL' }, transactionTimeLimit: 60_000 })
const words = 'a vault keeps what is given to it and tells nobody but its owner of what there is'.split(' ')
const size = async (): Promise<number> => (await storage.health()).databaseBytes ?? 0
let made = 0
while ((await size()) < Number(bytes)) {
  const batch = Array.from({ length: 2_000 }, () => {
    const number = ++made
    const content = Array.from({ length: 120 }, (_, index) => words[(number * 7 + index * (1 + (number % 11))) % words.length]).join(' ')
    return { writer: -1, number, title: `Document ${number}`, content }
  })
  await documents.insertMany(batch, { actor: 'bench' })
}
await storage.close()
process.stdout.write(String(made))
