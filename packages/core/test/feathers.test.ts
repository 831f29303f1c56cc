import { adapterTests } from '@feathersjs/adapter-tests'
import { defineModel, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { AccessorService } from './feathers/service.ts'
import { storagesOn } from './support.ts'

const person = { name: Type.String(), age: Type.Optional(Type.Integer()), created: Type.Optional(Type.Boolean()) }
const models = [
  defineModel('people', person),
  defineModel('people_customid', person, { id: { name: 'customid', type: 'integer' } }),
  defineModel('people_uuid', person, { id: 'uuid' }),
]

/** As many tests as the suite has: with fewer something has been left out. */
const testsInSuite = 79

/** How many of the suite's tests have passed with the service at hand. */
let passed = 0
const it = (name: string, body: () => unknown): void =>
  test(name, async () => {
    await body()
    passed++
  })
// the names by which the suite knows mocha
Object.assign(globalThis, { describe, it, before: beforeAll, after: afterAll, beforeEach, afterEach })

/** The suite leaves out what its list does not name, and none of it shall be left out. */
const everyTest = Object.assign([], { includes: () => true })

describeEngines("Feathers' tests of database adapters", (engine) => {
  const open = storagesOn(engine, 'suite')
  const accessors = models.map((model) => new ModelAccessor(model, model.name))
  const services = new Map<string, AccessorService>()

  beforeAll(async () => {
    const storage = await open(accessors)
    for (const accessor of storage.accessors) services.set(accessor.component, new AccessorService(storage, accessor))
  })

  for (const { component, model } of accessors) {
    describe(component, () => {
      beforeAll(() => {
        passed = 0
      })
      adapterTests(everyTest)({ service: (name: string) => services.get(name) }, {}, component, model.id.name)
      test('all of them ran and passed', () => expect(passed).toBe(testsInSuite))
    })
  }
})
