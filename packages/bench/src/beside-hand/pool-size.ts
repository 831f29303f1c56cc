/** Connections to PostgreSQL that a server of the bench has at most, whoever wrote it. */
export const poolSize = 16
