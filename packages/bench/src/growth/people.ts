import { DateTime, Default, defineModel, ModelAccessor, Ref } from '@strongroom/core'
import { Type } from 'typebox'

const fields = {
  name: Type.String({ minLength: 1, maxLength: 200 }),
  email: Type.String({ minLength: 3, maxLength: 200 }),
  role: Type.String({ maxLength: 20 }),
  age: Type.Integer({ minimum: 0, maximum: 150 }),
  created_at: Default(DateTime(), () => new Date()),
}

const Person = defineModel('people', fields, { softDelete: true, unique: [['email']], indexes: [['role', 'name']] })

/** The people that everything is measured on, and as many models beside them as make `models`, each of which refers to people. */
export function growthAccessors(models: number) {
  const people = new ModelAccessor(Person, 'people')
  const others = Array.from({ length: models - 1 }, (_, index) => {
    const name = `things_${index + 1}`
    const owned = { ...fields, owner_id: Type.Optional(Ref(() => Person)) }
    return new ModelAccessor(defineModel(name, owned, { softDelete: true, unique: [['email']], indexes: [['role', 'name']] }), name)
  })
  return { people, all: [people, ...others] }
}

const roles = ['operator', 'supervisor', 'admin', 'guest', 'auditor']

export function person(index: number) {
  return { name: `Person ${index}`, email: `person${index}@example.com`, role: roles[index % roles.length] ?? '', age: index % 100 }
}

/** Somebody whose name and address stand somewhere among those of `rows` others: what comes in is in no order. */
export function newcomer(index: number, rows: number) {
  const neighbour = scattered(index, rows)
  return { ...person(neighbour), name: `Person ${neighbour} ${index}`, email: `person${neighbour}.${index}@example.com` }
}

/** A number below `rows`, far from that of the index before: Knuth's multiplicative hashing. */
export function scattered(index: number, rows: number): number {
  return (Math.imul(index + 1, 2_654_435_761) >>> 0) % rows
}
