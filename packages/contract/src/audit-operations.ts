/** What can stand in an audit entry's `operation`. */
export const auditOperations = [
  'create',
  'update',
  'delete',
  'soft_delete',
  'restore',
  'purge',
  'erase',
  'restore_database',
  'unaudited',
] as const
