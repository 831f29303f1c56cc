import type { ErrorCode, HttpMethod, WireSchema } from '@strongroom/contract'

/** What a route under `/auth` does. */
export type AuthOperation = 'token' | 'refresh' | 'logout' | 'me' | 'password' | 'listKeys' | 'issueKey' | 'revokeKey'

/** A route as data: it is mounted, and described, from this. */
export interface AuthRoute {
  readonly operation: AuthOperation
  readonly method: HttpMethod
  /** Below `/auth`. */
  readonly path: `/${string}`
  readonly summary: string
  readonly description: string
  /** Needs an access token (`session`), or that or an API key (`caller`). */
  readonly needs: 'nothing' | 'session' | 'caller'
  readonly query?: Readonly<Record<string, WireSchema>>
  readonly body?: WireSchema
  /** The body may be a form too. */
  readonly form?: true
  readonly answer: { readonly status: number; readonly description: string; readonly schema: WireSchema }
  readonly errors: readonly ErrorCode[]
}

const text = (description: string, maxLength: number): WireSchema => ({ type: 'string', minLength: 1, maxLength, description })
const instant = (description: string): WireSchema => ({ type: 'string', format: 'date-time', description })
const orNull = (schema: WireSchema): WireSchema => ({ anyOf: [schema, { type: 'null' }] })
const closed = (properties: Readonly<Record<string, WireSchema>>, required: readonly string[] = Object.keys(properties)): WireSchema => ({
  type: 'object',
  additionalProperties: false,
  ...(required.length > 0 && { required }),
  properties,
})

const tokens = closed({
  access_token: text('Sent as `Authorization: Bearer …`.', 4_096),
  token_type: { type: 'string', const: 'Bearer' },
  expires_in: { type: 'integer', minimum: 1, description: 'Seconds that the access token lives.' },
  refresh_token: text('Exchanged once for the next pair.', 255),
})
const done = (status: string): WireSchema => closed({ status: { type: 'string', const: status } })
const userId: WireSchema = { type: ['integer', 'string'], description: 'The id of the user.' }
const scopes: WireSchema = { type: 'array', items: text('A scope.', 100), maxItems: 100, description: 'What the key is narrowed to.' }
const keyFields = {
  id: { type: 'string', format: 'uuid' },
  name: text('What the key is for.', 50),
  hint: text('How the key begins.', 60),
  user_id: userId,
  scopes: orNull(scopes),
  tenant: orNull({ type: 'string' }),
  expires_at: orNull(instant('When the key is over.')),
  last_used_at: orNull(instant('When it was last used, to the hour.')),
  revoked_at: orNull(instant('When it was revoked.')),
  created_at: instant('When it was issued.'),
}

/** The schema of the token in a body that has nothing else. */
const refreshToken = text('The refresh token.', 4_096)

/** The routes of `passwordAuthentication`. */
export const authRoutes: readonly AuthRoute[] = [
  {
    operation: 'token',
    method: 'POST',
    path: '/token',
    summary: 'Signs in',
    description:
      'Takes an e-mail address and a password, as JSON or as the form of RFC 6749 (`grant_type=password` with `username` and `password`). ' +
      '`grant_type=refresh_token` refreshes, as `/auth/refresh` does. Too many failures have to wait (429 with Retry-After).',
    needs: 'nothing',
    form: true,
    body: closed(
      {
        grant_type: { type: 'string', enum: ['password', 'refresh_token'] },
        email: text('The e-mail address, in any case.', 254),
        username: text('The same, under its name in RFC 6749.', 254),
        password: text('The password.', 1_024),
        refresh_token: refreshToken,
      },
      [],
    ),
    answer: { status: 200, description: 'The tokens.', schema: tokens },
    errors: ['bad_request', 'unauthorized', 'payload_too_large', 'unsupported_media_type', 'validation_failed', 'too_many_requests'],
  },
  {
    operation: 'refresh',
    method: 'POST',
    path: '/refresh',
    summary: 'Exchanges a refresh token for new tokens',
    description:
      'A refresh token is good once. One that was spent before ends its session: all its tokens are refused from then on. ' +
      'Of two requests at the same time one wins; the other gets 401, and the session goes on.',
    needs: 'nothing',
    form: true,
    body: closed({ refresh_token: refreshToken }),
    answer: { status: 200, description: 'The next tokens.', schema: tokens },
    errors: ['bad_request', 'unauthorized', 'payload_too_large', 'unsupported_media_type', 'validation_failed'],
  },
  {
    operation: 'logout',
    method: 'POST',
    path: '/logout',
    summary: 'Signs out',
    description:
      'Ends the session of the refresh token in the body (`refresh_token`, or `token` as in RFC 7009), of the access token in ' +
      '`Authorization`, or of both. A token that means nothing, or not any more, is no error.',
    needs: 'nothing',
    form: true,
    body: closed({ refresh_token: refreshToken, token: refreshToken }, []),
    answer: { status: 200, description: 'The tokens are worth nothing.', schema: done('signed_out') },
    errors: ['bad_request', 'payload_too_large', 'unsupported_media_type', 'validation_failed'],
  },
  {
    operation: 'me',
    method: 'GET',
    path: '/me',
    summary: 'Tells who the caller is',
    description: 'The user as the rules of access know them, by an access token or an API key.',
    needs: 'caller',
    answer: {
      status: 200,
      description: 'The caller.',
      schema: closed({
        id: userId,
        email: { type: 'string' },
        roles: { type: 'array', items: { type: 'string' } },
        tenant: orNull({ type: 'string' }),
        scopes: orNull(scopes),
        via: { type: 'string', enum: ['session', 'api_key'] },
      }),
    },
    errors: ['unauthorized'],
  },
  {
    operation: 'password',
    method: 'POST',
    path: '/password',
    summary: 'Changes the password',
    description: 'Ends all sessions of the user, this one too: sign in again. API keys stay.',
    needs: 'session',
    body: closed({ current_password: text('The password as it is.', 1_024), new_password: text('The next one.', 1_024) }),
    answer: { status: 200, description: 'The password is changed.', schema: done('password_changed') },
    errors: [
      'bad_request',
      'unauthorized',
      'forbidden',
      'payload_too_large',
      'unsupported_media_type',
      'validation_failed',
      'too_many_requests',
    ],
  },
  {
    operation: 'listKeys',
    method: 'GET',
    path: '/api-keys',
    summary: 'Lists API keys',
    description: "The caller's own keys, newest first, the revoked ones too. Administrators can ask for those of another user.",
    needs: 'session',
    query: { user_id: { type: 'string', description: 'Whose keys; for administrators.' } },
    answer: { status: 200, description: 'The keys, without their secrets.', schema: { type: 'array', items: closed(keyFields) } },
    errors: ['invalid_query', 'unauthorized', 'forbidden'],
  },
  {
    operation: 'issueKey',
    method: 'POST',
    path: '/api-keys',
    summary: 'Issues an API key',
    description: 'The key stands in this answer and nowhere else. It acts as its user, in the scopes that it is given.',
    needs: 'session',
    body: closed(
      {
        name: keyFields.name,
        scopes,
        tenant: text('The tenant that the key is for; of users who work for all.', 200),
        expires_at: instant('When the key is over; never unless said.'),
      },
      ['name'],
    ),
    answer: {
      status: 201,
      description: 'The key.',
      schema: closed({ ...keyFields, key: text('Sent as `X-API-Key`, or `Authorization: Bearer …`.', 255) }),
    },
    errors: ['bad_request', 'unauthorized', 'forbidden', 'payload_too_large', 'unsupported_media_type', 'validation_failed'],
  },
  {
    operation: 'revokeKey',
    method: 'DELETE',
    path: '/api-keys/{id}',
    summary: 'Revokes an API key',
    description: 'It is refused from now on. Administrators can revoke those of others.',
    needs: 'session',
    answer: { status: 200, description: 'The key as it is left.', schema: closed(keyFields) },
    errors: ['bad_request', 'unauthorized', 'forbidden', 'not_found'],
  },
]
