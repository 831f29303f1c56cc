import type { Principal } from '../session/principal.ts'
import type { AccessOperation } from './rule.ts'

/** What `write` stands for beside itself: everything but removing for good, reading included. */
const written: readonly string[] = ['read', 'create', 'update', 'delete', 'restore'] satisfies readonly AccessOperation[]

/**
 * Whether the scopes of a principal reach to an operation, e.g. of the component `users` or of the operators' plane, `db`. A scope is
 * `place:operation`; `*` stands for every component or every operation, and `write` for all that is not for good. Without scopes a principal
 * is not narrowed; with none at all, `[]`, to nothing. Scopes give nothing that the rules do not give.
 *
 * @throws TypeError for scopes that are no list
 * @example
 * isInScope({ id: 1, scopes: ['users:write'] }, 'users', 'update') // true
 * isInScope({ id: 1, scopes: ['*:read'] }, 'users', 'update')      // false
 * isInScope({ id: 1, scopes: ['*:*'] }, 'db', 'export')            // false: the whole database is named by itself, db:export or db:*
 */
export function isInScope({ scopes }: Principal, place: string, operation: string): boolean {
  if (scopes === undefined || scopes === null) return true
  // Code without types: "users:read" stands in "users:reader", too.
  if (!Array.isArray(scopes)) throw new TypeError("The scopes of a principal are a list: scopes: ['users:read'].")
  const places = place === operatorsPlace ? [place] : [place, '*']
  const isWritten = place !== operatorsPlace && written.includes(operation)
  const operations = [operation, '*', ...(isWritten ? ['write'] : [])]
  return places.some((named) => operations.some((word) => scopes.includes(`${named}:${word}`)))
}

/** Where the routes of operators are, in scopes as in paths. */
const operatorsPlace = 'db'
