/** What is measured at each size, in this order: reads first, for writes leave work behind. */
export const operations = {
  get: { what: 'get', count: 4_000 },
  page: { what: 'page of 100 in the middle, by cursor', count: 200 },
  filteredPage: { what: 'page of 50, filtered and sorted, in the middle, by cursor', count: 200 },
  auditPage: { what: 'newest 100 audit entries', count: 100 },
  deepAuditPage: { what: '100 audit entries in the middle, by cursor', count: 100 },
  history: { what: 'history of a record', count: 1_000 },
  count: { what: 'count of all records', count: 1 },
  document: { what: 'OpenAPI document', count: 5 },
  insert: { what: 'insert, 64 at once', count: 1_280, together: 64 },
  update: { what: 'update, 64 at once', count: 1_280, together: 64 },
  insertMany: { what: 'insert of 1,000 together', count: 3 },
  handGet: { what: 'get, a prepared statement', count: 4_000 },
  handInsertMany: { what: 'insert of 1,000 by hand, without entries', count: 3 },
} as const satisfies Record<string, Operation>

export type OperationName = keyof typeof operations

export interface Operation {
  readonly what: string
  /** How many times it is done for one figure. */
  readonly count: number
  /** How many of them are under way at once. */
  readonly together?: number
}
