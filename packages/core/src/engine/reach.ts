/**
 * Whose records a unit or a read touches: those of every tenant (the library's own work, and whoever works for all of them), of one, or of
 * none. An engine with row security has the database hold it to that, whatever its statements say.
 */
export type Reach = 'every' | 'none' | { readonly tenant: string }

export function sameReach(a: Reach, b: Reach): boolean {
  return typeof a === 'object' && typeof b === 'object' ? a.tenant === b.tenant : a === b
}
