import type { Connection } from '../../engine/engine.ts'
import type { FieldValues } from '../../query/bound-table.ts'
import { everything } from '../../query/filter.ts'
import { type RecordTest, recordTest } from '../../query/record-test.ts'
import { conditionOf } from '../../query/select.ts'
import { settleLinks } from '../../query/settle-links.ts'
import type { CallerContext } from '../../session/context.ts'
import type { Task } from '../../session/task.ts'
import type { BoundAccessor } from '../bound-accessor.ts'

/**
 * Whether a caller might read records that are as these images have them: the same tenant and rules as for records themselves, deleted
 * ones included. What the rules ask of other records is asked as those stand now.
 */
export function* readableImages(
  bound: BoundAccessor,
  connection: Connection,
  context: CallerContext,
  images: readonly FieldValues[],
): Task<RecordTest> {
  const condition = conditionOf(bound.table, { ...context, asked: true }, { filter: everything, includeDeleted: true })
  return recordTest(bound.model, yield* settleLinks(condition, connection, images))
}
