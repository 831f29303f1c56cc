/** SQL for what the names of all schemas begin with that restores of this one fill. */
export const stagingPrefix = `'strongroom_staging_' || left(md5(current_schema()), 8) || '_'`

/** SQL that tells whether there is such a schema. */
export const stagingExists = `EXISTS (SELECT 1 FROM pg_namespace WHERE starts_with(nspname, ${stagingPrefix}))`
