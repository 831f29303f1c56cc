export { type ErrorCode, errorCatalogue } from './error-codes.ts'
