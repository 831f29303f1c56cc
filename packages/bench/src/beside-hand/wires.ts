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
  /** The first records whose ids are greater than this one. */
  readonly page: (limit: number, id: number) => Asked
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
  page: (limit, id) => ({ method: 'GET', path: `/users?limit=${limit}&id[gt]=${id}&count=none` }),
  post: (body) => ({ method: 'POST', path: '/users', body }),
  put: (id, body) => ({ method: 'PUT', path: `/users/${id}`, body }),
  delete: (id) => ({ method: 'DELETE', path: `/users/${id}` }),
  content: (answer) => answer,
}

/** Feathers merges by PATCH. */
const feathers: Wire = {
  ...rest,
  list: (limit, offset) => ({ method: 'GET', path: `/users?$limit=${limit}&$skip=${offset}` }),
  page: (limit, id) => ({ method: 'GET', path: `/users?$limit=${limit}&id[$gt]=${id}` }),
  put: (id, body) => ({ method: 'PATCH', path: `/users/${id}`, body }),
}

/** ZenStack's calls: arguments as JSON in `q`, or in the body. */
const zenstack: Wire = {
  get: (id) => ({ method: 'GET', path: `/api/user/findUnique?q=${argument({ where: { id } })}` }),
  list: (take, skip) => ({ method: 'GET', path: `/api/user/findMany?q=${argument({ take, skip, orderBy: { id: 'asc' } })}` }),
  page: (take, id) => ({
    method: 'GET',
    path: `/api/user/findMany?q=${argument({ where: { id: { gt: id } }, take, orderBy: { id: 'asc' } })}`,
  }),
  post: (data) => ({ method: 'POST', path: '/api/user/create', body: { data } }),
  put: (id, data) => ({ method: 'PUT', path: '/api/user/update', body: { where: { id }, data } }),
  delete: (id) => ({ method: 'DELETE', path: `/api/user/delete?q=${argument({ where: { id } })}` }),
  content: dataOf,
}

/** LoopBack merges by PATCH too, and answers changes with nothing. */
const loopback: Wire = {
  ...rest,
  list: (limit, skip) => ({ method: 'GET', path: `/users?filter=${argument({ limit, skip, order: ['id'] })}` }),
  page: (limit, id) => ({ method: 'GET', path: `/users?filter=${argument({ where: { id: { gt: id } }, limit, order: ['id'] })}` }),
  put: (id, body) => ({ method: 'PATCH', path: `/users/${id}`, body }),
}

/** Strongroom's, and of servers that were written by hand; and those of peers. */
export const wires = { rest, feathers, zenstack, loopback } as const

export type WireName = keyof typeof wires

function argument(value: object): string {
  return encodeURIComponent(JSON.stringify(value))
}

function dataOf(answer: unknown): unknown {
  return typeof answer === 'object' && answer !== null && 'data' in answer ? answer.data : undefined
}
