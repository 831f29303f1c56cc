import type { LogGuard } from '../engine/log-guard.ts'
import { AuditHead, AuditLog } from './audit-log.ts'
import { placeNames } from './chain.ts'

const payload = ['before', 'after', 'salt']
const place = new Set<string>([...placeNames, ...payload])

/**
 * The log as the database keeps it. There are three ways through, each of which the log itself accounts for: an entry without a place gets
 * one, once; a payload goes where an `erase` entry of the same record stands behind it; entries below the head's `retained_below` go, which
 * only grows. Whoever erases or removes entries does it in this order, in one transaction, and needs no other permission.
 */
export const logGuard: LogGuard = {
  log: AuditLog.name,
  head: AuditHead.name,
  fixed: AuditLog.fields.map(({ name }) => name).filter((name) => !place.has(name)),
  payload,
  place: placeNames,
  placed: placeNames.filter((name) => name !== 'leaf'),
}
