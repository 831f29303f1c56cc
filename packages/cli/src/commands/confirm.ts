import { createInterface } from 'node:readline/promises'
import type { Surroundings } from '../surroundings.ts'

/** Whether somebody can be asked. */
export function canAsk({ stdin, stderr }: Surroundings): boolean {
  return stdin.isTTY === true && stderr.isTTY === true
}

/** Asks for a `yes`. */
export async function confirmed({ stdin, stderr, signal }: Surroundings, question: string): Promise<boolean> {
  const lines = createInterface({ input: stdin, output: stderr })
  try {
    const said = await lines.question(`${question} [yes/no] `, { signal })
    return said.trim().toLowerCase() === 'yes'
  } finally {
    lines.close()
  }
}
