import fc from 'fast-check'
import type { OwnerState } from './audit-model.ts'

/** Fields of an owner that a write gives. */
export type Fields = Partial<Pick<OwnerState, 'name' | 'count' | 'token'>>
/** One write, or several in a transaction. `pick` chooses among the records that there are. */
export type Command =
  | { readonly do: 'insert' | 'save new'; readonly fields: Fields & { name: string } }
  | { readonly do: 'insertMany' | 'upsertMany'; readonly list: readonly (Fields & { name: string })[] }
  | { readonly do: 'update' | 'replace'; readonly pick: number; readonly fields: Fields & { name: string } }
  | { readonly do: 'save'; readonly pick: number; readonly fields: Fields & { name: string } }
  | { readonly do: 'save far'; readonly id: number; readonly fields: Fields & { name: string } }
  | { readonly do: 'updateMany'; readonly count: number | null; readonly fields: Fields }
  | { readonly do: 'delete'; readonly pick: number }
  | { readonly do: 'restore'; readonly pick: number }
  | { readonly do: 'purge'; readonly pick: number }
  | { readonly do: 'deleteMany'; readonly picks: readonly number[] }
  | { readonly do: 'restoreMany'; readonly picks: readonly number[] }
  | { readonly do: 'purgeMany'; readonly picks: readonly number[] }
  | { readonly do: 'deleteWhere'; readonly count: number | null }
  | { readonly do: 'part'; readonly id: string; readonly pick: number; readonly text: string }
  | { readonly do: 'delete part'; readonly id: string }
  | { readonly do: 'label' | 'change label'; readonly pick: number; readonly owner: number | null }
  | { readonly do: 'lock' | 'unlock' | 'purge lock'; readonly pick: number }
  | { readonly do: 'dry'; readonly of: Command }
  | { readonly do: 'transaction'; readonly steps: readonly Command[]; readonly fails: boolean }

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'auto', '')
const count = fc.option(fc.constantFrom(1, 2, 3, 13, 66), { freq: 4 })
const fields = fc.record({ name, count, token: fc.option(fc.constantFrom('s1', 's2')) }, { requiredKeys: ['name'] })
const pick = fc.nat({ max: 12 })
const simple: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('insert', 'save new'), fields }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('insertMany', 'upsertMany'), list: fc.array(fields, { maxLength: 5 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('update', 'save', 'replace'), pick, fields }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('save far' as const), id: fc.integer({ min: 1, max: 40 }), fields }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('updateMany' as const),
      count,
      fields: fc.record({ name, count, token: fc.option(fc.constant('s3')) }, { requiredKeys: [] }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('delete', 'restore', 'purge'), pick }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('deleteMany', 'restoreMany', 'purgeMany'), picks: fc.array(pick, { maxLength: 6 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deleteWhere' as const), count }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('part' as const),
      id: fc.constantFrom('p', 'q', 'r'),
      pick,
      text: fc.constantFrom('x', 'y', 'stuck'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete part' as const), id: fc.constantFrom('p', 'q', 'r') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('label', 'change label'), pick, owner: fc.option(pick) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('lock', 'unlock', 'purge lock'), pick }) },
) as fc.Arbitrary<Command>
export const { command } = fc.letrec<{ command: Command }>((tie) => ({
  command: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 8, arbitrary: simple },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('dry' as const), of: simple }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('transaction' as const),
        steps: fc.array(tie('command'), { minLength: 1, maxLength: 5 }),
        fails: fc.boolean(),
      }),
    },
  ),
}))
