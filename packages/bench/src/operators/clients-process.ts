import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ClientsAnswer, ClientsQuestion, WindowReport } from './client-messages.ts'

/** How many clients there are, and what they ask for. */
export interface ClientsOptions {
  /** So many write, and as many read. */
  readonly clients: number
  /** Milliseconds between a client's answer and its next request. */
  readonly thinkTime: number
}

/** Clients that write and read until they are told to end, in a process of their own. */
export class Clients {
  readonly #process: ChildProcess

  constructor(url: string, { clients, thinkTime }: ClientsOptions) {
    const script = fileURLToPath(new URL('./clients.ts', import.meta.url))
    this.#process = fork(script, [url, String(clients), String(clients), '100000', String(thinkTime)])
  }

  /** How it went since the last window. */
  async window(): Promise<WindowReport> {
    return (await this.#ask('window')) as WindowReport
  }

  /** The numbers that were acknowledged, by writer. */
  async acknowledged(): Promise<readonly (readonly number[])[]> {
    const answer = await this.#ask('acknowledged')
    return 'acknowledged' in answer ? answer.acknowledged : []
  }

  /** What was acknowledged up to now need not be found any more. */
  forget(): void {
    this.#process.send('forget' satisfies ClientsQuestion)
  }

  async end(): Promise<void> {
    if (!this.#process.connected) return
    const exited = once(this.#process, 'exit')
    this.#process.send('end' satisfies ClientsQuestion)
    await exited
  }

  async #ask(question: ClientsQuestion): Promise<ClientsAnswer> {
    const answered = once(this.#process, 'message')
    this.#process.send(question)
    const [answer] = await answered
    return answer
  }
}
