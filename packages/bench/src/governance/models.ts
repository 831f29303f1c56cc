import { DateTime, Default, defineAccess, defineModel, ModelAccessor } from '@strongroom/core'
import { Type } from 'typebox'

const fields = {
  tenant: Type.String({ maxLength: 60 }),
  name: Type.String({ minLength: 1, maxLength: 200 }),
  email: Type.String({ minLength: 3, maxLength: 200 }),
  age: Type.Integer({ minimum: 0, maximum: 150 }),
  created_at: Default(DateTime(), () => new Date()),
}

/** The same table on both sides; only here it knows whose records it has. */
const Person = defineModel('people', fields, { softDelete: true, indexes: [['tenant']], readOnly: ['created_at'], tenant: 'tenant' })
const PlainPerson = defineModel('people', fields, { softDelete: true, indexes: [['tenant']], readOnly: ['created_at'] })

/** The people, with all that governs who may do what with them, or without. */
export function people(isGoverned: boolean) {
  return isGoverned ? new ModelAccessor(Person, 'people') : new ModelAccessor(PlainPerson, 'people')
}

/** Members read whoever is of age and write everybody; support reads all of the tenant. */
export const peopleAccess = defineAccess(Person, {
  read: ['support', ({ roles }) => (roles?.includes('member') ? { age: { gte: 0 } } : false)],
  create: 'member',
  update: 'member',
  delete: 'admin',
})
