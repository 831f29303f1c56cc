/** Settings of the SQLite engine. */
export interface SqliteSettings {
  /**
   * How a commit reaches the disk. `FULL` (the default) survives a power loss. In WAL mode `NORMAL` loses the last
   * commits on power loss (measured: 5 of 500, and 50 of 50 in a burst; `FULL` 0 of 500); it survives a crash of the process.
   */
  readonly synchronous?: 'FULL' | 'NORMAL'
  /** Milliseconds to wait for another process that writes; 5000 unless said. */
  readonly busyWait?: number
  /** Units that may wait for the write lane before more are refused with `storage_busy`; 10000 unless said. */
  readonly queueLimit?: number
  /** The most pages (of 4096 bytes) that the file may have; a write that needs more is refused with `storage_full`. No limit unless said. */
  readonly maxPageCount?: number
}

/** Settings of the PostgreSQL engine. */
export interface PostgresSettings {
  /** The most connections at a time; 10 unless said. */
  readonly poolSize?: number
  /**
   * Milliseconds that a unit or a read waits for a connection before `storage_busy`, or, while no server can be reached,
   * `storage_unavailable`; 5000 unless said.
   */
  readonly connectWait?: number
  /** Milliseconds after which the server stops a single statement; no limit unless said, since units and reads have limits of their own. */
  readonly statementTimeout?: number
  /**
   * Milliseconds without a statement after which the server ends a transaction, whose program may hang while it keeps others from its
   * records; 60000 unless said, 0 for never. What may take longer by its own limit is left alone.
   */
  readonly idleInTransactionTimeout?: number
  /**
   * The URL leads to a pooler that hands out another session with each transaction, such as PgBouncer with `pool_mode = transaction`.
   * Nothing is then kept prepared, or set for a session.
   */
  readonly pooler?: 'transaction'
  /** A URL that leads past the pooler, for what needs a session of its own: backups, exports, restores. */
  readonly directUrl?: string
}
