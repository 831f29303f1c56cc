/** "SRRM": says in the file's header whose database it is. */
export const applicationId = 0x5352524d
