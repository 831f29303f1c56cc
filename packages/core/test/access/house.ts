import { Default, defineAccess, defineModel, ModelAccessor, type Principal, Ref } from '@strongroom/core'
import { Type } from 'typebox'

export const Person = defineModel('people', { name: Type.String(), salary: Default(Type.Integer(), 100) })
export const Project = defineModel('projects', { title: Type.String(), owner_id: Ref(() => Person) })
export const Member = defineModel('members', {
  project_id: Ref(() => Project, { onDelete: 'cascade' }),
  person_id: Ref(() => Person),
})
export const Task = defineModel(
  'tasks',
  {
    title: Type.String(),
    done: Default(Type.Boolean(), false),
    project_id: Ref(() => Project, { onDelete: 'cascade' }),
    assignee_id: Type.Optional(Ref(() => Person, { onDelete: 'setNull' })),
  },
  { softDelete: true },
)

const own = ({ id }: Principal) => ({ owner_id: id as number })
const mine = ({ id }: Principal) => ({ linked: { project: { linked: { members: { person_id: id } } } } })

/** Members of a project see its tasks, and change those that are theirs; the boss may do everything. */
export const rules = [
  defineAccess(Person, {
    read: true,
    update: ['boss', ({ id }) => ({ id: id as number })],
    fields: { salary: { read: 'boss', write: 'boss' } },
  }),
  defineAccess(Project, { all: ['boss', own], read: ['boss', own, ({ id }) => ({ linked: { members: { person_id: id } } })] }),
  defineAccess(Member, { all: 'boss', read: ['boss', ({ id }) => ({ person_id: id as number })] }),
  defineAccess(Task, {
    read: ['boss', mine],
    create: ['boss', mine],
    update: ['boss', ({ id }) => ({ assignee_id: id as number })],
    delete: 'boss',
    restore: 'boss',
    fields: { done: { write: ['boss', 'worker'] } },
  }),
]

/** Fresh accessors: each belongs to one storage. */
export function accessors() {
  return {
    people: new ModelAccessor(Person, 'people'),
    projects: new ModelAccessor(Project, 'projects'),
    members: new ModelAccessor(Member, 'members'),
    tasks: new ModelAccessor(Task, 'tasks'),
  }
}
