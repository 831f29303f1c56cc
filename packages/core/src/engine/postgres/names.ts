/** A name as PostgreSQL reads it back: quoted, inner quotes doubled. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text literal. `standard_conforming_strings` is on in every connection, so a backslash is a backslash. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
