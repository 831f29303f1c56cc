/** A name, and the one that takes its place. */
export interface NewName {
  readonly from: string
  readonly to: string
}

/** The renames in steps that can be done one after the other: where one takes over the name of another, all give up theirs first. */
export function inPassing(renames: readonly NewName[]): readonly NewName[] {
  const given = new Set(renames.map(({ from }) => from))
  if (!renames.some(({ to }) => given.has(to))) return renames
  const passing = (index: number): string => `strongroom_moved_${index}`
  return [
    ...renames.map(({ from }, index) => ({ from, to: passing(index) })),
    ...renames.map(({ to }, index) => ({ from: passing(index), to })),
  ]
}
