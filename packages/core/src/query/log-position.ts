/** The field of a log that has the place of an entry in the one order of history; null while that is not settled. */
export const positionField = 'seq'
