// A server that takes no writes: a standby, or one that its operator made read-only. Neither is permanent. This file loads no
// library, so a command that only words an error starts at once.

/** Reads whether a server takes no writes, in SQL. */
export const READS_ONLY = `pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean`;

/** SQLSTATE of a write that such a server refuses. It was the primary once, and another server may be now. */
export const READ_ONLY_STATE = '25006';

/** Says for people that a server takes no writes. */
export const TAKES_NO_WRITES = 'Postgres takes no writes: it is a standby, or read-only';
