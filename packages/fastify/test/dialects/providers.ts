import { createRequire } from 'node:module'

export type Row = Readonly<Record<string, unknown>> & { readonly id: string | number }

interface Page {
  readonly pagination?: { readonly page: number; readonly perPage: number }
  readonly sort?: { readonly field: string; readonly order: 'ASC' | 'DESC' }
  readonly filter: Readonly<Record<string, unknown>>
  readonly meta?: { readonly embed?: string | readonly string[] }
}

type Id = string | number

/** The slice of react-admin's data providers that is used here: their own types need react-admin, React and a browser's. */
export interface AdminProvider {
  getList(resource: string, params: Page): Promise<{ data: Row[]; total: number }>
  getOne(resource: string, params: { id: Id; meta?: { embed?: string } }): Promise<{ data: Row }>
  getMany(resource: string, params: { ids: readonly Id[] }): Promise<{ data: Row[] }>
  getManyReference(resource: string, params: Page & { target: string; id: Id }): Promise<{ data: Row[]; total: number }>
  create(resource: string, params: { data: object }): Promise<{ data: Row }>
  update(resource: string, params: { id: Id; data: object; previousData?: object }): Promise<{ data: Row }>
  updateMany(resource: string, params: { ids: readonly Id[]; data: object }): Promise<{ data: Id[] }>
  delete(resource: string, params: { id: Id; previousData?: object }): Promise<{ data: Row }>
  deleteMany(resource: string, params: { ids: readonly Id[] }): Promise<{ data: Id[] }>
}

type HttpClient = (url: string, options?: { headers?: Headers }) => Promise<unknown>

/** The slice of refine's. */
export interface RefineProvider {
  getList(params: {
    resource: string
    pagination?: { currentPage?: number; pageSize?: number; mode?: 'server' | 'client' | 'off' }
    sorters?: readonly { field: string; order: 'asc' | 'desc' }[]
    filters?: readonly { field: string; operator: string; value: unknown }[]
  }): Promise<{ data: Row[]; total: number }>
  getOne(params: { resource: string; id: Id }): Promise<{ data: Row }>
  getMany(params: { resource: string; ids: readonly Id[] }): Promise<{ data: Row[] }>
  create(params: { resource: string; variables: object }): Promise<{ data: Row }>
  update(params: { resource: string; id: Id; variables: object }): Promise<{ data: Row }>
  deleteOne(params: { resource: string; id: Id; variables?: object }): Promise<{ data: Row }>
}

const require = createRequire(import.meta.url)

// The packages export these functions, as the tests show by calling them.
export const simpleRest = require('ra-data-simple-rest') as (url: string, client?: HttpClient, countHeader?: string) => AdminProvider
export const jsonServer = require('ra-data-json-server') as (url: string, client?: HttpClient) => AdminProvider
export const { default: refine } = require('@refinedev/simple-rest') as { default: (url: string) => RefineProvider }
