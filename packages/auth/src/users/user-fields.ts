import type { AnyModel, Field } from '@strongroom/core'
import { refuse } from '../refuse.ts'

/** Where a model of users keeps what authentication needs. */
export interface UserFields {
  readonly email: string
  readonly password: string
  readonly disabled: string
  readonly credentialsVersion: string
  readonly roles: Field
  readonly tenant: string | undefined
}

/** Finds the fields in a model. Throws UsageError `invalid_options` that lists all that is missing. */
export function userFields(model: AnyModel): UserFields {
  const faults: string[] = []
  const find = (names: readonly string[], kinds: readonly Field['kind'][], write: string): Field | undefined => {
    const field = names.map((name) => model.fieldsByName.get(name)).find((found) => found !== undefined)
    if (field && kinds.includes(field.kind)) return field
    faults.push(`${names.join(' or ')}: ${write}`)
    return undefined
  }
  const email = find(['email'], ['text'], "Type.String({ format: 'email' }) with unique: [['email']]")
  const password = find(['password', 'password_hash'], ['text'], 'Type.Optional(Type.String({ maxLength: 512 })), named in secret')
  const disabled = find(['disabled'], ['boolean'], 'Default(Type.Boolean(), false)')
  const version = find(['credentials_version'], ['integer'], 'Default(Type.Integer(), 1), named in readOnly')
  const roles = find(['roles', 'role'], ['json', 'text'], 'Default(Json(Type.Array(Type.String())), []), or role as text')
  if (email && !model.unique.some((names) => names.length === 1 && names[0] === email.name)) faults.push("email: unique: [['email']]")
  if (password && !password.secret) faults.push(`${password.name}: has to be named in secret`)
  if (version && !version.readOnly) faults.push('credentials_version: has to be named in readOnly')
  if (!email || !password || !disabled || !version || !roles || faults.length > 0)
    return refuse(`The model "${model.name}" cannot be that of the users. It needs\n${faults.map((fault) => `- ${fault}`).join('\n')}`)
  return {
    email: email.name,
    password: password.name,
    disabled: disabled.name,
    credentialsVersion: version.name,
    roles,
    tenant: model.tenant?.name ?? model.fieldsByName.get('tenant')?.name,
  }
}
