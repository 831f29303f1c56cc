/** Milliseconds between two scheduled backups of all servers together. */
export const backupsEvery = 2_000
