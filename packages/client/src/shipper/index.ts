export type { GivenRecord, LogRecord, TraceStep } from './log-record.ts'
export { Shipper, type ShipperOptions, type ShipperProblem } from './shipper.ts'
export type { WorkflowLog } from './workflow.ts'
