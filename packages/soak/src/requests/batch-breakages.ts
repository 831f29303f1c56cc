import type { Breakage } from './breakage.ts'

/** What is wrong with a list of operations. */
export const batchBreakages: readonly Breakage[] = [
  {
    kind: 'a broken operation of a batch',
    mustBeRefused: true,
    apply(draft, { dice }) {
      if (!isBatch(draft.body)) return false
      const component = componentOf(draft.body)
      const broken = [
        { method: 'create', component: 'no_such_component', body: {} },
        { method: 'explode', component, body: {} },
        { method: 'create', component, body: { name: 7 } },
        { method: 'patch', component, body: {} },
        { method: 'delete', component, id: '$9.id' },
        { method: 'delete', component, id: '$0.no_such_field' },
        { method: 'delete', component, id: Number.MAX_SAFE_INTEGER },
        { method: 'save', component, id: 1, body: {}, if_match: 'no tag' },
        { method: 'create', component, body: {}, surprise: true },
        { method: 'create', component: '__proto__', body: {} },
        { method: 'toString', component: 'constructor' },
        null,
        7,
        [],
      ]
      draft.body.operations.splice(dice.integer(0, draft.body.operations.length), 0, dice.pick(broken))
      return true
    },
  },
  {
    kind: 'too many operations',
    mustBeRefused: true,
    apply(draft) {
      if (!isBatch(draft.body)) return false
      const component = componentOf(draft.body)
      draft.body = { operations: Array.from({ length: 101 }, () => ({ method: 'create', component, body: {} })) }
      return true
    },
  },
]

function isBatch(body: unknown): body is { operations: unknown[] } {
  return typeof body === 'object' && body !== null && 'operations' in body && Array.isArray(body.operations)
}

/** A component that there is, as the batch names it. */
function componentOf({ operations }: { readonly operations: readonly unknown[] }): unknown {
  const [first] = operations
  return typeof first === 'object' && first !== null && 'component' in first ? first.component : 'none'
}
