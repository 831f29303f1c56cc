import { createHash } from 'node:crypto'
import { ModelAccessor, type Principal } from '@strongroom/core'
import { Control, Evidence, Risk, Task, User } from './models.ts'

export const users = new ModelAccessor(User, 'users')
export const risks = new ModelAccessor(Risk, 'risks')
export const controls = new ModelAccessor(Control, 'controls')
export const tasks = new ModelAccessor(Task, 'tasks')
export const evidence = new ModelAccessor(Evidence, 'evidence')

/** A record without an owner is its maker's. */
const ownedByMaker = ({ record, principal }: { record: { owner_id: string | null }; principal: Principal | null }) => {
  if (typeof principal?.id === 'string') record.owner_id ??= principal.id
}
for (const accessor of [risks, controls, tasks, evidence]) accessor.beforeInsert(ownedByMaker)

evidence.beforeInsert(({ record }) => {
  record.file_sha256 = record.file && createHash('sha256').update(record.file).digest('hex')
})
