import { operatorRoutes } from '@strongroom/contract'
import { accessOperations, ValidationError } from '@strongroom/core'

const recordOperations: readonly string[] = [...accessOperations, 'write', '*']
const databaseOperations: readonly string[] = [...new Set(operatorRoutes.map(({ operation }): string => operation)), 'metrics', '*']

/**
 * Refuses scopes that say nothing: a key would be narrower than whoever issues it believes. Words without a colon are the program's own.
 * @throws ValidationError that names each of them
 */
export function checkScopes(scopes: readonly string[]): void {
  const issues = scopes.flatMap((scope, index) => {
    const message = faultOf(scope)
    return message === undefined ? [] : [{ path: `scopes.${index}`, message }]
  })
  if (issues.length > 0) throw new ValidationError(issues)
}

function faultOf(scope: string): string | undefined {
  const [place = '', operation, ...others] = scope.split(':')
  if (operation === undefined) return undefined
  if (place === '' || others.length > 0) return 'must be component:operation, such as users:read'
  const known = place === 'db' ? databaseOperations : recordOperations
  return known.includes(operation) ? undefined : `names no operation; for ${place} there are ${known.join(', ')}`
}
