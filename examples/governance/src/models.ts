import { accountFields, accountOptions } from '@strongroom/auth'
import { Bytes, Default, defineModel, PlainDate, Ref } from '@strongroom/core'
import { Type } from 'typebox'

const Title = Type.String({ minLength: 1, maxLength: 200 })
const Text = Type.Optional(Type.String({ maxLength: 10_000 }))
const common = { id: 'uuid', softDelete: true, stamps: true } as const

/** `roles`: admin, analyst (changes what is theirs), viewer (reads). */
export const User = defineModel('users', accountFields, { ...accountOptions, ...common })

/** Whoever answers for a record; the one who made it, unless said. */
const owner = Type.Optional(Ref(() => User, { onDelete: 'restrict' }))
const Severity = Type.Enum(['low', 'medium', 'high', 'critical'])

/** What can go wrong. */
export const Risk = defineModel(
  'risks',
  {
    title: Title,
    description: Text,
    severity: Severity,
    likelihood: Default(Type.Enum(['rare', 'possible', 'likely']), 'possible'),
    status: Default(Type.Enum(['identified', 'assessed', 'treated', 'accepted', 'closed']), 'identified'),
    review_on: Type.Optional(PlainDate()),
    owner_id: owner,
  },
  {
    ...common,
    unique: [['title']],
    indexes: [
      ['status', 'severity'],
      ['owner_id', 'status'],
    ],
    transitions: {
      status: {
        identified: ['assessed', 'closed'],
        assessed: ['treated', 'accepted', 'closed'],
        treated: ['assessed', 'closed'],
        accepted: ['assessed', 'closed'],
        closed: [],
      },
    },
  },
)

/** What keeps a risk small. */
export const Control = defineModel(
  'controls',
  {
    risk_id: Ref(() => Risk, { onDelete: 'cascade' }),
    title: Title,
    description: Text,
    kind: Type.Enum(['preventive', 'detective', 'corrective']),
    status: Default(Type.Enum(['planned', 'implemented', 'effective', 'failed', 'retired']), 'planned'),
    owner_id: owner,
  },
  {
    ...common,
    immutable: ['risk_id'],
    indexes: [
      ['risk_id', 'status'],
      ['owner_id', 'status'],
    ],
    transitions: {
      status: {
        planned: ['implemented', 'retired'],
        implemented: ['effective', 'failed', 'retired'],
        effective: ['failed', 'retired'],
        failed: ['implemented', 'retired'],
        retired: [],
      },
    },
  },
)

/** What somebody has to do about a risk. */
export const Task = defineModel(
  'tasks',
  {
    risk_id: Ref(() => Risk, { onDelete: 'cascade' }),
    title: Title,
    status: Default(Type.Enum(['open', 'in_progress', 'done', 'dropped']), 'open'),
    due_on: Type.Optional(PlainDate()),
    owner_id: owner,
  },
  {
    ...common,
    immutable: ['risk_id'],
    indexes: [
      ['risk_id', 'status'],
      ['owner_id', 'due_on'],
    ],
    transitions: {
      status: { open: ['in_progress', 'dropped'], in_progress: ['open', 'done', 'dropped'], done: ['in_progress'], dropped: ['open'] },
    },
  },
)

/** What shows that a control works; it can carry a file, whose digest is made here. */
export const Evidence = defineModel(
  'evidence',
  {
    control_id: Ref(() => Control, { onDelete: 'cascade' }),
    title: Title,
    collected_on: PlainDate(),
    status: Default(Type.Enum(['submitted', 'accepted', 'rejected']), 'submitted'),
    file_name: Type.Optional(Type.String({ minLength: 1, maxLength: 255, pattern: '^[^/\\\\]+$' })),
    file: Type.Optional(Bytes({ maxLength: 5 * 1024 * 1024 })),
    file_sha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
    owner_id: owner,
  },
  {
    ...common,
    // what was shown stays what it was: another file is another evidence
    immutable: ['control_id', 'file', 'file_name'],
    readOnly: ['file_sha256'],
    indexes: [
      ['control_id', 'status'],
      ['owner_id', 'status'],
    ],
    transitions: { status: { submitted: ['accepted', 'rejected'], accepted: [], rejected: ['submitted'] } },
  },
)
