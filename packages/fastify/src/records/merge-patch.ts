import type { AnyModel } from '@strongroom/core'
import type { Row } from './record-room.ts'

/**
 * Applies RFC 7396 below the fields: an object sent for a JSON field is merged into the one that stands there.
 * The fields themselves are what an update changes anyway.
 */
export function mergeIntoFields(model: AnyModel, current: Row, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const merged: Record<string, unknown> = { ...patch }
  for (const [name, value] of Object.entries(patch)) if (isMerged(model, name, value)) merged[name] = mergePatch(current[name], value)
  return merged
}

/** Whether a value that is sent for a field changes part of what stands there. */
export function isMerged(model: AnyModel, name: string, value: unknown): boolean {
  return isObject(value) && model.fieldsByName.get(name)?.kind === 'json'
}

/** RFC 7396, section 2. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const merged = new Map(isObject(target) ? Object.entries(target) : [])
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name)
    else merged.set(name, mergePatch(merged.get(name), value))
  }
  return Object.fromEntries(merged)
}

/** Whether a JSON value is an object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
