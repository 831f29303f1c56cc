import type { TakeRow } from './engine.ts'

/** Hands rows over one after the other, and waits where whoever takes one wants it. */
export async function takeRows(rows: readonly (readonly unknown[])[], take: TakeRow): Promise<void> {
  for (const values of rows) {
    const taken = take(values)
    if (taken) await taken
  }
}
