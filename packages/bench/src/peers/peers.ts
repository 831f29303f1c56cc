import type { Operation } from '../beside-hand/load-process.ts'
import type { WireName } from '../beside-hand/wires.ts'

/** Another library with a server of its own in `packages/bench/peers`, on the same table and with an entry in an audit table for each write. */
export interface Peer {
  readonly name: string
  /** In `packages/bench/peers`: a manifest, a lockfile and a program `server.mjs URL`. */
  readonly folder: string
  readonly engine: 'sqlite' | 'postgres'
  readonly wire: WireName
  /** A program of the folder that is run once after it is installed. */
  readonly prepare?: readonly string[]
  /** How many times as many requests in a second Strongroom shall answer. */
  readonly goals: Partial<Record<Operation, number>>
  /** What it does otherwise, for readers of the table. */
  readonly note: string
}

/** Libraries that are to be measured, and why they cannot be. */
export const unmeasured: readonly { readonly name: string; readonly goal: number; readonly reason: string }[] = [
  {
    name: 'Directus',
    goal: 50,
    reason:
      'it loads isolated-vm and sqlite3, which are compiled when they are installed, against headers that the Node of this repository, from npm, does not bring; peers are installed without install scripts.',
  },
]

export const peers: readonly Peer[] = [
  {
    name: 'Feathers',
    folder: 'feathers',
    engine: 'sqlite',
    wire: 'feathers',
    goals: { get: 5, post: 8, put: 8, delete: 8 },
    note: 'Feathers 5 on Koa and Knex, validation by its TypeBox schemas, the audit entry in hooks inside its transaction hooks. It deletes for good.',
  },
  {
    name: 'Prisma',
    folder: 'prisma',
    engine: 'sqlite',
    wire: 'rest',
    prepare: ['node_modules/prisma/build/index.js', 'generate'],
    goals: { list: 2.5 },
    note: 'Prisma 7 with its better-sqlite3 adapter behind Fastify routes written by hand, the audit entry in an interactive transaction.',
  },
  {
    name: 'ZenStack',
    folder: 'zenstack',
    engine: 'sqlite',
    wire: 'zenstack',
    prepare: ['node_modules/@zenstackhq/cli/bin/cli', 'generate', '--schema', 'schema.zmodel', '--output', 'generated'],
    goals: { get: 6, list: 6, post: 6, put: 6, delete: 6 },
    note: 'ZenStack 3 with its own routes on Fastify, the audit entry by a plugin inside the transaction of the mutation. It deletes for good.',
  },
  {
    name: 'LoopBack',
    folder: 'loopback',
    engine: 'postgres',
    wire: 'loopback',
    goals: { get: 15, list: 15, post: 15, put: 15, delete: 15 },
    note: 'LoopBack 4 with its own controller for a model, the audit entry by its repository inside a transaction. Both on PostgreSQL with fsync off: its connector for SQLite needs a compiler. It deletes for good.',
  },
]
