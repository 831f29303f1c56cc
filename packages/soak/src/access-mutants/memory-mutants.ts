// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pieces of sources have the placeholders of these
import type { Mutant } from './mutants.ts'

/** What is remembered of callers and their rules, so that it is not found out again: of one caller, of one component, of one request. */
export const memoryMutants: readonly Mutant[] = [
  {
    place: 'memory: what was said of another component',
    file: 'packages/core/src/session/memory.ts',
    from: 'if (this.#owner === owner) return this.#first as Kept',
    to: 'if (this.#owner !== undefined) return this.#first as Kept',
  },
  {
    place: 'memory: conditions with other values',
    file: 'packages/core/src/access/condition-cache.ts',
    from: 'return Number.isFinite(condition) ? `n${condition}` : undefined',
    to: "return 'n'",
  },
  {
    place: 'memory: conditions on other fields',
    file: 'packages/core/src/access/condition-cache.ts',
    from: 'text += `,${name.length}:${name}${value}`',
    to: 'text += `,${value}`',
  },
  {
    place: 'memory: who sent a request that is looked at again',
    file: 'packages/fastify/src/request-notes.ts',
    from: 'if (known?.isOf(request)) return known',
    to: 'if (known) return known',
  },
  {
    place: 'memory: one caller as another',
    file: 'packages/core/src/session/options.ts',
    from: '(principal ? undefined : around.memory) ?? new Memory()',
    to: 'around.memory ?? new Memory()',
  },
]
