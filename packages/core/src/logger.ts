/** Where the storage reports what no caller can be told: pass a pino logger's slice, or leave it to the console. */
export interface Logger {
  info(message: string): void
  warn(message: string): void
  /** `error` is what went wrong, for the operator's eyes only. */
  error(message: string, error: unknown): void
}

/** Writes warnings and errors to stderr and keeps quiet otherwise. */
export const consoleLogger: Logger = {
  info: () => undefined,
  warn: (message) => console.warn(`strongroom: ${message}`),
  error: (message, error) => console.error(`strongroom: ${message}`, error),
}
