import type { Storage } from '@strongroom/core'
import { driftScans, incidents, readings, timeline, users } from './accessors.ts'

/** The password of all people of the sample. It is in the README, so that a server with sample data is for your own machine. */
export const samplePassword = 'a lantern on the pier'

/** Fills an empty database in one transaction; one that has users stays as it is. */
export async function loadSample(storage: Pick<Storage, 'transaction'>): Promise<void> {
  if (await users.exists({}, { includeDeleted: true })) return
  await storage.transaction(
    async () => {
      const people = [
        { email: 'olga@lab.example', name: 'Olga Brandt', roles: ['admin'] },
        { email: 'ines@lab.example', name: 'Inês Duarte', roles: ['responder'] },
        { email: 'probe@lab.example', name: 'Probe', roles: ['monitor'] },
        { email: 'vera@lab.example', name: 'Vera Lindqvist', roles: ['viewer'] },
      ]
      const [, ines] = await users.insertMany(people.map((person) => ({ ...person, password: samplePassword })))
      await readings.insertMany([
        { key: 'fraud-v3.accuracy', kind: 'accuracy', subject: 'fraud-v3', value: 0.942 },
        { key: 'fraud-v3.cost', kind: 'cost', subject: 'fraud-v3', value: 0.31 },
        { key: 'churn-v1.accuracy', kind: 'accuracy', subject: 'churn-v1', value: 0.874 },
        { key: 'nightly-features.pipeline', kind: 'pipeline', subject: 'nightly-features', value: 1_795_993_200 },
      ])
      const incident = await incidents.insert({
        title: 'Fraud model lets foreign cards through',
        description: 'Three merchants report a wave of chargebacks from cards that were issued abroad.',
        ml_model: 'fraud-v3',
        severity: 'sev1',
      })
      await incidents.update(incident.id, { status: 'investigating', assignee_id: ines?.id ?? null })
      await timeline.insert({
        incident_id: incident.id,
        text: 'The issuing country is empty in all of them since the change of 24 November.',
      })
      await driftScans.insert({
        ml_model: 'churn-v1',
        reference: { age: [31, 45, 28, 52, 39, 41, 36, 48, 33, 44], visits: [3, 1, 4, 2, 5, 3, 2, 4, 3, 3] },
        current: { age: [32, 44, 29, 51, 40, 40, 37, 47, 34, 43], visits: [9, 8, 11, 7, 12, 9, 8, 10, 9, 9] },
      })
    },
    { actor: 'sample' },
  )
}
