import { batchBreakages } from './batch-breakages.ts'
import { bodyBreakages, contentBreakages } from './body-breakages.ts'
import type { Breakage } from './breakage.ts'
import { fileBreakages } from './file-bodies.ts'
import { headBreakages } from './head-breakages.ts'
import { queryBreakages } from './query-breakages.ts'

/** All ways to break a request. */
export const breakages: readonly Breakage[] = [
  ...contentBreakages,
  ...bodyBreakages,
  ...batchBreakages,
  ...fileBreakages,
  ...queryBreakages,
  ...headBreakages,
]
