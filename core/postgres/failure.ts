import { Prisma } from './database.js';

/** SQLSTATE classes of a statement that can never succeed with these values: 22 data exception, 23 integrity violation. */
const DATA_ERROR_CLASSES = ['22', '23'];

/**
 * Tells a value that Postgres will never take from everything that passes or whose outcome is unknown. Only the former may
 * be given up on; an unknown outcome is read again.
 *
 * @param error what Prisma threw
 * @returns whether the same statement with the same values can't ever succeed
 */
export function isDataError(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== undefined && DATA_ERROR_CLASSES.includes(state.slice(0, 2));
}

/** SQLSTATE classes of a Postgres that can't serve for the moment: 08 connection, 53 resources, 57 operator, 58 system. */
const AWAY_CLASSES = ['08', '53', '57', '58'];

/** A standby, or a Postgres that an operator keeps from writing: neither for good. */
const READ_ONLY = '25006';

/** The adapter's words for the same, where there is no SQLSTATE; and pg's, where it throws by itself (7.10.0, measured). */
const AWAY_KINDS = ['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections'];
const LOST = /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout)/;

/**
 * @param error what Prisma threw
 * @returns whether Postgres could not answer, so that trying again later helps
 */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError))
    return error instanceof Error && LOST.test(error.message);
  const adapterError = error.meta?.driverAdapterError as { cause?: { kind?: string } } | undefined;
  const state = sqlStateOf(error) ?? '';
  if (state === READ_ONLY) return true;
  return AWAY_CLASSES.includes(state.slice(0, 2)) || AWAY_KINDS.includes(adapterError?.cause?.kind ?? '');
}

/** Where Prisma 7 with the pg adapter keeps the SQLSTATE (P2010 for raw statements, P2039 for the rest; measured). */
function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return undefined;
  const adapterError = error.meta?.driverAdapterError as { cause?: { originalCode?: string } } | undefined;
  return adapterError?.cause?.originalCode ?? (error.meta?.code as string | undefined);
}
