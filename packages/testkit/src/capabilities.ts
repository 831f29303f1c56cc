export const engineNames = ['sqlite', 'postgres'] as const

/** An engine that every feature is tested on. */
export type EngineName = (typeof engineNames)[number]

/** What only some engines can do, with the reason. A test that needs one of these says so by name through `needs`. */
export const capabilities = {
  oneFile: { engines: ['sqlite'], why: 'the database is a file: it can be copied, limited in pages, opened by another program' },
  pragmas: { engines: ['sqlite'], why: 'settings are read and written as PRAGMA' },
  sharedCommits: { engines: ['sqlite'], why: 'units of work that wait share one commit on the write lane' },
  overlappingUnits: { engines: ['postgres'], why: 'two units of work run at the same time on connections of their own' },
  rowSecurity: {
    engines: ['postgres'],
    why: 'the database itself holds rows to their tenants; in SQLite nothing stands behind the conditions',
  },
  statistics: { engines: ['postgres'], why: 'questions are planned by how many rows the database believes a table to have' },
  sessions: { engines: ['postgres'], why: 'the server knows its sessions, and another one can end them' },
} as const satisfies Record<string, { engines: readonly EngineName[]; why: string }>

export type Capability = keyof typeof capabilities

/** Whether the engine can do it. */
export function engineHas(engine: EngineName, capability: Capability): boolean {
  return (capabilities[capability].engines as readonly EngineName[]).includes(engine)
}

/** The name of the suite that `needs` puts around its tests; the reporter reads it back with `neededCapability`. */
export const needsTitle = (capability: Capability): string => `needs ${capability}`

/** The capability that a suite of this name needs, if it is such a suite. */
export function neededCapability(title: string): Capability | undefined {
  return (Object.keys(capabilities) as Capability[]).find((capability) => needsTitle(capability) === title)
}

/** The title of a suite on one engine; the reporter reads it back with `engineOfTitle`. */
export const engineTitle = (name: string, engine: EngineName): string => `${name} [${engine}]`

/** The engine that a suite of this name runs on, if any. */
export function engineOfTitle(title: string): EngineName | undefined {
  return engineNames.find((engine) => title.endsWith(` [${engine}]`))
}
