/** The stamps' own names. */
export const stampNames = { createdAt: 'created_at', updatedAt: 'updated_at', createdBy: 'created_by', updatedBy: 'updated_by' } as const

/** The field that says when a record was deleted. */
export const deletedAtName = 'deleted_at'

/** The hidden field behind the ETag. */
export const rowVersionName = 'row_version'
