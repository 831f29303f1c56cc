/** The server of the restore campaigns, which prints each step. */
export const restoreServer = new URL('./server.ts', import.meta.url)
