import { type AuditEntry, healthToJson, type StorageHealth } from '@strongroom/core'
import type { Document } from './target.ts'

// What a database answers takes the form that a server gives it, so that scripts need not know which one they ask. A test compares them.

export function healthDocument(health: StorageHealth): Document {
  return { status: 'ok', ...healthToJson(health) }
}

export function entryDocument(entry: AuditEntry): Document {
  return { ...entry, timestamp: entry.timestamp.toISOString() }
}
