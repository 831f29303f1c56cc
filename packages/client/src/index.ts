export type { ErrorCode, WireModel } from '@strongroom/contract'
export type { AggregateOptions, AggregateRow, MeasureText } from './aggregate.ts'
export { type BatchOperation, BatchReference, type BatchResult, type BatchResults, type ComponentOperation, ref } from './batch.ts'
export type { ChangeEntry, ChangeEvent, FollowOptions, ImageOf } from './changes.ts'
export { type Client, createClient } from './client.ts'
export type { BulkWriteOptions, ComponentClient, RemoveOptions, SaveOptions } from './component-client.ts'
export {
  BadRequestError,
  ConflictError,
  ForbiddenError,
  GoneError,
  InvalidQueryError,
  NetworkError,
  NotFoundError,
  PreconditionFailedError,
  PreconditionRequiredError,
  StrongroomClientError,
  TimeoutError,
  TooManyRequestsError,
  UnauthorizedError,
  UnavailableError,
  ValidationError,
  type ValidationIssue,
} from './errors.ts'
export { etagOf } from './known-records.ts'
export type { GetOptions, ListOptions, OrderBy, Page, SelectionOf } from './list-options.ts'
export type { FieldNames, IdOf, Include, Models, NewOf, PatchOf, RecordOf, SavedOf, Selected } from './model-types.ts'
export type { CallOptions, ClientOptions, ConditionalWriteOptions, HeaderSource, RetryOptions, WriteOptions } from './options.ts'
export type { AuditEntry, DiffOptions, HistoryOptions, HistoryPage, Instant, RecordDiff, RevertOptions } from './past.ts'
export type { FieldConditions, TextConditions, Where } from './where.ts'
