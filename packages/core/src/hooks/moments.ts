/** The moments at which the hooks of each kind of write are called. */
export const insertMoments = ['beforeInsert', 'afterInsert'] as const
export const updateMoments = ['beforeUpdate', 'afterUpdate'] as const
export const deleteMoments = ['beforeDelete', 'afterDelete'] as const
export const restoreMoments = ['beforeRestore', 'afterRestore'] as const
/** A save inserts or updates. */
export const saveMoments = [...insertMoments, ...updateMoments] as const
