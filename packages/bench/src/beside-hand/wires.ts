/** A request as a server wants it. */
export interface Asked {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: object
}

interface NewUser {
  readonly name: string
  readonly email: string
  readonly age: number
}

/** How a server is asked for users, and where in its answers they are. */
export interface Wire {
  readonly get: (id: number) => Asked
  readonly list: (limit: number, offset: number) => Asked
  readonly post: (user: NewUser) => Asked
  /** Changes the given fields, and keeps the others. */
  readonly put: (id: number, patch: Partial<NewUser>) => Asked
  readonly delete: (id: number) => Asked
  /** What an answer holds: a record, or a list of them. */
  readonly content: (answer: unknown) => unknown
}

const rest: Wire = {
  get: (id) => ({ method: 'GET', path: `/users/${id}` }),
  list: (limit, offset) => ({ method: 'GET', path: `/users?limit=${limit}&offset=${offset}&count=none` }),
  post: (body) => ({ method: 'POST', path: '/users', body }),
  put: (id, body) => ({ method: 'PUT', path: `/users/${id}`, body }),
  delete: (id) => ({ method: 'DELETE', path: `/users/${id}` }),
  content: (answer) => answer,
}

/** Feathers merges by PATCH. */
const feathers: Wire = {
  ...rest,
  list: (limit, offset) => ({ method: 'GET', path: `/users?$limit=${limit}&$skip=${offset}` }),
  put: (id, body) => ({ method: 'PATCH', path: `/users/${id}`, body }),
}

/** Strongroom's, and of servers that were written by hand; and those of peers. */
export const wires = { rest, feathers } as const

export type WireName = keyof typeof wires
