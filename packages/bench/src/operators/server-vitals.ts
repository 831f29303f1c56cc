import type { Vitals } from './windows.ts'

/** How a server of this bench has been since it was asked last. */
export async function vitalsOf(url: string): Promise<Vitals> {
  const answer = await fetch(`${url}/vitals`)
  // The server of this bench answers it.
  return (await answer.json()) as Vitals
}
