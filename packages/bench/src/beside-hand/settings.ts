/** Connections to PostgreSQL that a server of the bench has at most, whoever wrote it. */
export const poolSize = 16

/** Deletes are measured for so much less time than the rest: they must not run out of records. */
export const deletesShare = 1 / 4
