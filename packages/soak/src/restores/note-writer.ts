import { Agent } from 'node:http'
import { exchange } from '../exchange.ts'

/** What writers were told of their notes, to be held against what is stored. */
export class NoteBook {
  readonly acknowledged: string[] = []
  /** Their write was answered with a refusal: they must never be found. */
  readonly refused: string[] = []
  /** Answers that nothing explains. */
  readonly surprises: string[] = []
  unanswered = 0
}

/** Milliseconds after a refusal: what Retry-After asks for would leave nothing to write in a short campaign. */
const pauseAfterRefusal = 10

/** Makes one note after the other, each under a name of its own, until it is told to stop or the connection is cut. */
export async function writeNotes(url: string, prefix: string, book: NoteBook, stopped: () => boolean): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    for (let number = 0; !stopped(); number++) {
      const name = `${prefix}-${number}`
      const answer = await exchange(agent, { method: 'POST', url: `${url}/notes`, body: { name } })
      if (!answer) {
        book.unanswered++
        return
      }
      const { code } = answer.body as { readonly code?: string }
      if (answer.status === 201) book.acknowledged.push(name)
      else if (answer.status === 503 && code === 'storage_busy' && answer.headers['retry-after'] !== undefined) {
        book.refused.push(name)
        await new Promise((resolve) => setTimeout(resolve, pauseAfterRefusal))
      } else {
        book.surprises.push(`the note ${name} was answered ${answer.status} ${code}, Retry-After: ${answer.headers['retry-after']}`)
        return
      }
    }
  } finally {
    agent.destroy()
  }
}
