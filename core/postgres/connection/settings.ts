import pg from 'pg';

/** Time limit for one SQL statement, in ms. Postgres cancels the statement; the client gives up one second later. */
export const STATEMENT_TIMEOUT_MS = 5_000;

/** The settings of Postgres under which every statement runs, by name. */
export type StatementSettings = Readonly<Record<string, string>>;

/**
 * Returns the settings of Postgres for migrations, which may take their time.
 *
 * @param schema the schema of the tables; without it, Postgres's default
 */
export function migrationSettings(schema: string | undefined): StatementSettings {
  return {
    // The adapter of Prisma reads and writes timestamps as the wall clock of the session.
    TimeZone: 'UTC',
    ...(schema ? { search_path: pg.escapeIdentifier(schema) } : {}),
  };
}

/**
 * Returns the settings of Postgres under which every statement of a process runs.
 *
 * @param schema the schema of the tables; without it, Postgres's default
 */
export function statementSettings(schema: string | undefined): StatementSettings {
  return {
    statement_timeout: `${STATEMENT_TIMEOUT_MS / 1_000}s`,
    lock_timeout: '2s',
    idle_in_transaction_session_timeout: '10s',
    synchronous_commit: 'on',
    // Statements take some ms, and compiling one takes up to 500 ms (measured with 1,000,000 orders).
    jit: 'off',
    ...migrationSettings(schema),
  };
}

/**
 * Writes the query that makes the settings hold for a session, if the session belongs to one client alone. Behind a
 * pooler such as PgBouncer it does not: there the process that serves a statement has another id than the one the client
 * was told, and the next statement may be served by yet another process.
 *
 * @param processId the id that the client was told when it connected
 * @returns a query with a row for each setting, or no row behind a pooler
 */
export function configureSession(settings: StatementSettings, processId: number): string {
  const rows = Object.entries(settings).map(
    ([name, value]) => `(${pg.escapeLiteral(name)}, ${pg.escapeLiteral(value)})`,
  );
  return `SELECT set_config(name, value, false) FROM (VALUES ${rows.join(', ')}) AS settings (name, value)
    WHERE pg_backend_pid() = ${processId}`;
}

/** Writes the query that makes the settings hold until the end of the transaction in which it runs. */
export function configureStatement(settings: StatementSettings): string {
  const calls = Object.entries(settings).map(
    ([name, value]) => `set_config(${pg.escapeLiteral(name)}, ${pg.escapeLiteral(value)}, true)`,
  );
  return `SELECT ${calls.join(', ')}`;
}

/**
 * Writes the statements that begin a transaction with the settings. They take no snapshot, so the isolation level may
 * still be set.
 */
export function beginConfigured(settings: StatementSettings): string {
  const sets = Object.entries(settings).map(([name, value]) => `SET LOCAL ${name} = ${asIs(name, value)}`);
  return ['BEGIN', ...sets].join('; ');
}

/** A list of names is no text in quotes: `SET search_path = '"a"'` names a schema with quotes in its name. */
const asIs = (name: string, value: string): string => (name === 'search_path' ? value : pg.escapeLiteral(value));
