import type { ModelAccessor } from '@strongroom/core'
import type { Revocation } from '../models.ts'
import type { RevocationStore } from './revocation-store.ts'

const own = { access: 'system', actor: 'authentication' } as const

/** Keeps revocations in a table beside the users. */
export class DatabaseRevocations implements RevocationStore {
  readonly #accessor: ModelAccessor<typeof Revocation>

  constructor(accessor: ModelAccessor<typeof Revocation>) {
    this.#accessor = accessor
  }

  async revoke(ids: readonly string[], until: Date): Promise<void> {
    const rows = ids.map((id) => ({ id, expires_at: until }))
    await this.#accessor.upsertMany(rows, { on: ['id'], ...own })
  }

  async findRevoked(ids: readonly string[]): Promise<readonly string[]> {
    return (await this.#accessor.find({ where: { id: { in: [...ids] } }, ...own })).map(({ id }) => id)
  }

  async sweep(): Promise<void> {
    await this.#accessor.deleteMany({ expires_at: { lt: new Date() } }, own)
  }
}
