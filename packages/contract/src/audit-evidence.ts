import { closed } from './closed-schema.ts'
import type { RouteParameter, WireSchema } from './route.ts'

/** What can be wrong with an audit log. */
export const auditFaultKinds = [
  'payload_changed',
  'payload_missing',
  'entry_changed',
  'link_changed',
  'not_linked',
  'missing',
  'out_of_order',
  'not_retained',
  'cut_off',
  'beyond_head',
  'head_changed',
  'without_place',
  'rewritten',
  'other_log',
] as const

/** What a checkpoint can say of a log. */
export const checkpointFindings = ['holds', 'differs', 'cut_off', 'replaced', 'not_retained', 'other_log', 'not_reached'] as const

const text: WireSchema = { type: 'string' }
const hash: WireSchema = { type: 'string', pattern: '^[0-9a-f]{64}$' }
const instant: WireSchema = { type: 'string', format: 'date-time' }
const count: WireSchema = { type: 'integer', minimum: 0 }
const place: WireSchema = { type: ['integer', 'null'] }
const hashes: WireSchema = { type: 'array', items: hash }

const fault: WireSchema = {
  anyOf: [
    closed({ kind: { type: 'string', enum: [...auditFaultKinds] }, position: place, through: place, id: place, detail: text }),
    { type: 'null' },
  ],
}

/** Whether a log is whole, in short. */
export const logVerdictSchema = closed({ ok: { type: 'boolean' }, entries: count, fault })

/** What came of a verification: `fault` names the first entry that is bad. */
export const auditVerdictSchema = closed({
  ok: { type: 'boolean' },
  origin: text,
  epoch: count,
  position: count,
  entries: count,
  erased: count,
  unsealed: count,
  retained_below: place,
  fault,
  checkpoints: {
    type: 'array',
    items: closed({ size: count, epoch: count, timestamp: instant, finding: { type: 'string', enum: [...checkpointFindings] } }),
  },
})

/** What a log was at one moment, signed. */
export const checkpointSchema = closed({
  origin: text,
  epoch: count,
  size: count,
  root: hash,
  timestamp: instant,
  public_key: text,
  signature: text,
})

/** That an entry is in the log. */
export const auditProofSchema = closed({
  id: count,
  position: count,
  leaf: text,
  link: closed({ previous: hash, index: count, size: count, path: hashes }),
  chain: hashes,
  tree: closed({ index: count, size: count, path: hashes }),
  origin: text,
  size: count,
  root: hash,
})

/** What a log is held against. */
export const verifyParameters: readonly RouteParameter[] = [
  {
    name: 'checkpoint',
    in: 'query',
    description:
      'A checkpoint that was kept elsewhere, as it was answered: JSON; several on lines of their own. What was cut off or rewritten since shows against it alone.',
    schema: { type: 'string', minLength: 1 },
  },
  {
    name: 'public_key',
    in: 'query',
    description: 'The only key whose checkpoint is believed, as `public_key` of a checkpoint spells it.',
    schema: { type: 'string', minLength: 1 },
  },
]

/** Which log a proof is about. */
export const proofParameters: readonly RouteParameter[] = [
  {
    name: 'size',
    in: 'query',
    description: 'The size of a checkpoint that is to be proved against; the log as it stands now unless said.',
    schema: { type: 'integer', minimum: 1 },
    example: 1,
  },
]
