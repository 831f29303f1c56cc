/**
 * What a thread may take that goes through many rows, in MiB. Values that are soon forgotten get few: with 32 it takes 30 more, and is no
 * quicker; with 4 what is made beside them is looked at so seldom that it is no less (measured). The rest is tidied up the sooner the lower its
 * limit is, which took another 27 away from a restore, and 15 to 30 from a move. A single row has to fit into it.
 */
export const threadLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 1_024 }
