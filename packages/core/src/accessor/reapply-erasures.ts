import type { Statement } from '../engine/engine.ts'
import type { Logger } from '../logger.ts'
import { parseId } from '../model/record-id.ts'
import type { BoundTable } from '../query/bound-table.ts'
import type { Units } from '../session/units.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { eraseRecord, writeErasure } from './erase.ts'

/** What erasures are done again with. */
export interface ReapplyParts {
  readonly log: BoundTable
  readonly erasures: BoundTable
  readonly units: Units
  readonly components: () => readonly BoundAccessor[]
  readonly logger: Logger
}

/** Erasures that a content from before does not know: the records are erased once more. */
export class ErasuresAgain {
  readonly #parts: ReapplyParts

  constructor(parts: ReapplyParts) {
    this.#parts = parts
  }

  /** Those of records whose history has come back: where somebody has put an older file there, or was killed before it was done. */
  async whereHistoryIsBack(): Promise<void> {
    const { erasures, log } = this.#parts
    const statement = erasures.engine.builder
      .selectFrom(`${erasures.model.name} as e`)
      .select(['e.component', 'e.record_id'])
      .where(({ exists, selectFrom }) =>
        exists(
          selectFrom(`${log.model.name} as l`)
            .select('l.id')
            .whereRef('l.component', '=', 'e.component')
            .whereRef('l.record_id', '=', 'e.record_id')
            .whereRef('l.id', '<', 'e.entry')
            .where('l.operation', '<>', 'erase')
            .where('l.salt', 'is not', null),
        ),
      )
      .orderBy('e.entry')
      .compile()
    await this.#eraseEach(statement)
  }

  /** What a restore has to bring about, given its report. */
  async after<Report extends { readonly restored: boolean }>(report: Report): Promise<Report> {
    if (report.restored) await this.#sinceRestored()
    return report
  }

  /** Those that came after the last entry of the content that was restored. Call it when the entry that tells of the restore is there. */
  async #sinceRestored(): Promise<void> {
    const { erasures, log } = this.#parts
    const { builder } = erasures.engine
    const restore = builder
      .selectFrom(log.model.name)
      .select(({ fn }) => fn.max('id').as('id'))
      .where('operation', '=', 'restore_database')
    const last = builder
      .selectFrom(log.model.name)
      .select(({ fn }) => fn.max('id').as('id'))
      .where('id', '<', restore)
    const statement = builder
      .selectFrom(erasures.model.name)
      .select(['component', 'record_id'])
      .where(({ eb, fn, lit }) => eb('entry', '>', fn.coalesce(last, lit(0))))
      .orderBy('entry')
      .compile()
    await this.#eraseEach(statement)
  }

  async #eraseEach(statement: Statement): Promise<void> {
    const { erasures, logger } = this.#parts
    const rows = await Promise.resolve(erasures.engine.read((connection) => connection.all(statement))).catch((error: unknown) => {
      logger.error(
        'Whether something that was erased has come back could not be looked at. It is looked at again with the next start.',
        error,
      )
      return []
    })
    for (const { component, record_id: recordId } of rows) await this.#erase(String(component), String(recordId))
  }

  /** What keeps one from being erased (a record that restricts it) keeps no other, and nobody from starting. */
  async #erase(component: string, recordId: string): Promise<void> {
    const { units, components, logger } = this.#parts
    const bound = components().find((candidate) => candidate.component === component)
    try {
      await units.run({ write: { actor: 'internal', access: 'system' }, alone: true }, function* (session) {
        if (bound) yield* eraseRecord(bound, session, parseId(bound.model, recordId), { again: true })
      })
      if (!bound) await this.#eraseUnknown(component, recordId)
    } catch (error) {
      logger.error(`${component} ${recordId} was erased, has come back with a restored content, and cannot be erased again.`, error)
    }
  }

  /** A component that no accessor is there for has no rows that anybody could ask for; its history goes all the same. */
  async #eraseUnknown(component: string, recordId: string): Promise<void> {
    const { units, components, log, erasures } = this.#parts
    const [any] = components()
    if (!any) return
    await units.run({ write: { actor: 'internal', access: 'system' }, alone: true }, function* (session) {
      const subject = { component, schemaVersion: 1 }
      const erasing = { component, subject, audit: any.audit, moments: { log }, erasures }
      yield* writeErasure(erasing, session.connection, session.context, [{ recordId, tenant: null }], true)
    })
  }
}
