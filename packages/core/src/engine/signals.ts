import type { Awaitable, Connection } from './engine.ts'

/** Short words between the processes that have a database open. They can get lost, and they can come for nothing: whoever hears one looks for itself. */
export interface Signals {
  /** Tells everybody who hears this name, once the unit has committed. */
  send(connection: Connection, name: string): Awaitable<void>
  /** Calls back for each signal of this name, until it is closed. It connects by itself, and again when the connection is lost. */
  hear(name: string, heard: () => void): Hearing
}

export interface Hearing {
  /** Whether a signal that was sent to try it has been heard. Some poolers pass none on. */
  readonly works: boolean
  close(): Promise<void>
}
