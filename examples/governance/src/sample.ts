import { readFile } from 'node:fs/promises'
import type { InsertOf, Principal, Storage } from '@strongroom/core'
import { controls, evidence, risks, tasks, users } from './accessors.ts'
import type { Control, Evidence, Risk, Task } from './models.ts'

/** The password of all people of the sample. It is in the README, so that a server with sample data is for your own machine. */
export const samplePassword = 'a lantern on the pier'

interface Sample {
  readonly users: readonly { email: string; name: string; roles: string[] }[]
  readonly risks: readonly (Omit<InsertOf<typeof Risk>, 'owner_id'> & {
    owner: string
    controls: (Omit<InsertOf<typeof Control>, 'risk_id'> & {
      evidence: (Omit<InsertOf<typeof Evidence>, 'control_id' | 'file'> & { text?: string })[]
    })[]
    tasks: Omit<InsertOf<typeof Task>, 'risk_id'>[]
  })[]
}

/** Fills an empty database in one transaction, each risk on behalf of its owner; one that has users stays as it is. */
export async function loadSample(storage: Pick<Storage, 'transaction'>): Promise<void> {
  if (await users.exists({}, { includeDeleted: true })) return
  const sample: Sample = JSON.parse(await readFile(new URL('../data/sample.json', import.meta.url), 'utf8'))
  await storage.transaction(async () => {
    const people = new Map<string, { principal: Principal; actor: string }>()
    for (const { email, name, roles } of sample.users) {
      const { id } = await users.insert({ email, name, roles, password: samplePassword }, { actor: 'sample' })
      people.set(email, { principal: { id, roles }, actor: email })
    }
    for (const risk of sample.risks) await insertRisk(risk, people.get(risk.owner) ?? { actor: 'sample' })
  })
}

async function insertRisk(
  { owner, controls: kept, tasks: todo, ...risk }: Sample['risks'][number],
  by: { principal?: Principal; actor: string },
): Promise<void> {
  const { id: risk_id } = await risks.insert(risk, by)
  await tasks.insertMany(
    todo.map((task) => ({ ...task, risk_id })),
    by,
  )
  for (const { evidence: shown, ...control } of kept) {
    const { id: control_id } = await controls.insert({ ...control, risk_id }, by)
    for (const { text, ...piece } of shown)
      await evidence.insert({ ...piece, control_id, ...(text !== undefined && { file: Buffer.from(text) }) }, by)
  }
}
