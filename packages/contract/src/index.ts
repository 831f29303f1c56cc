export { type AggregateQuery, aggregateParameters, parseAggregateQuery } from './aggregate-query.ts'
export {
  auditFaultKinds,
  auditProofSchema,
  auditVerdictSchema,
  checkpointFindings,
  checkpointSchema,
  proofParameters,
  verifyParameters,
} from './audit-evidence.ts'
export { auditOperations } from './audit-operations.ts'
export { type BatchMethod, batchMethods, batchRoute, mostOperations } from './batch-route.ts'
export { type BulkQuery, bulkParameters, mostBulkRecords, parseBulkQuery } from './bulk-query.ts'
export { changesRoute } from './changes-route.ts'
export { type EntityTags, entityTag, parseEntityTags } from './entity-tag.ts'
export {
  type FailureEnvelope,
  type Pagination,
  paginationSchema,
  type ResponseStyle,
  responseStyles,
  type SuccessEnvelope,
  successSchema,
} from './envelope.ts'
export { type ErrorCode, errorCatalogue } from './error-codes.ts'
export { type InexactNumber, type ReadJson, readJson } from './exact-json.ts'
export { splitList } from './filter-query.ts'
export {
  accessAnswerSchema,
  accessQuestionSchema,
  auditEntrySchema,
  backupSchema,
  bulkDeletionSchema,
  changesSchema,
  deletionSchema,
  diffSchema,
  erasureSchema,
  failureSchema,
  importReportSchema,
  jobSchema,
  problemSchema,
  restorationSchema,
  restoreReportSchema,
  revertQuestionSchema,
  revertReportSchema,
  revertTargetSchema,
  statusSchema,
} from './fixed-schemas.ts'
export { type ListCondition, type ListFilter, type ListOperator, listOperators } from './list-condition.ts'
export {
  type ListQuery,
  type ListQueryOptions,
  type ListSort,
  listParameters,
  mostIncludedRecords,
  parseListQuery,
} from './list-query.ts'
export { databaseTypes, type OperatorOperation, operatorRoutes, zipTypes } from './operator-routes.ts'
export {
  auditParameters,
  changesParameters,
  defaultHistoryEntries,
  diagramParameters,
  diffParameters,
  exportParameters,
  historyParameters,
  importParameters,
  longestWait,
  mostHistoryEntries,
  pageLimit,
  preferHeader,
  requestIdHeader,
  restoreParameters,
  revertParameters,
  undoRestoreParameters,
} from './parameters.ts'
export { readFlag, readNames } from './query-parameters.ts'
export { listOf, QueryError, type QueryPair, readBoolean, readParameters, readWholeNumber, shown, splitQuery } from './query-string.ts'
export { askedAccess, patchTypes, type RecordOperation, recordRoutes } from './record-routes.ts'
export {
  type AnswerHeader,
  answerHeaders,
  type Content,
  commonErrors,
  type HttpMethod,
  type Route,
  type RouteAnswer,
  type RouteBody,
  type RouteParameter,
  type WireSchema,
} from './route.ts'
export { reservedComponents, type SystemOperation, systemRoutes } from './system-routes.ts'
export type { WireModel, WireTypes } from './wire-model.ts'
export { writeConditions, writeQuery } from './write-conditions.ts'
