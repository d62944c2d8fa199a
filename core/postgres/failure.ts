import { READ_ONLY_STATE } from './connection/read-only.js';
import { Prisma } from './database.js';

/**
 * SQLSTATE classes of statements that every retry would fail because of their values: 22 data exception, 23 integrity
 * violation.
 */
const DATA_ERROR_CLASSES = ['22', '23'];

/** A value that no table accepts. It is not sent to Postgres. */
export class UnfitValue extends Error {}

/**
 * Tells whether Postgres will never accept the values of a statement. Only then may a claim be given up, instead of
 * becoming an order. After any other error the outcome is unknown and must be read.
 *
 * @param error an error of Prisma, or {@link UnfitValue}
 */
export function isDataError(error: unknown): boolean {
  if (error instanceof UnfitValue) return true;
  const state = sqlStateOf(error);
  return state !== undefined && DATA_ERROR_CLASSES.includes(state.slice(0, 2));
}

/**
 * SQLSTATE classes that mean that Postgres cannot serve at the moment: 08 connection, 53 resources, 57 operator, 58
 * system.
 */
const AWAY_CLASSES = ['08', '53', '57', '58'];

/**
 * Signs in errors without SQLSTATE that Postgres cannot serve: error kinds of Prisma's adapter, and messages of pg
 * itself (7.10.0, measured).
 */
const AWAY_KINDS = ['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections'];
const LOST =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|no server of DATABASE_URL takes writes)/;

/**
 * Tells whether Postgres could not serve at the moment, so that a later retry helps.
 *
 * @param error an error of Prisma
 */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError))
    return error instanceof Error && LOST.test(error.message);
  const adapterError = error.meta?.driverAdapterError as { cause?: { kind?: string } } | undefined;
  const state = sqlStateOf(error) ?? '';
  if (state === READ_ONLY_STATE) return true;
  return AWAY_CLASSES.includes(state.slice(0, 2)) || AWAY_KINDS.includes(adapterError?.cause?.kind ?? '');
}

/**
 * Finds Postgres's SQLSTATE in an error of Prisma 7 with the pg adapter. Prisma's own code is P2010 for raw statements
 * and P2039 for others (measured).
 */
function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return undefined;
  const adapterError = error.meta?.driverAdapterError as { cause?: { originalCode?: string } } | undefined;
  return adapterError?.cause?.originalCode ?? (error.meta?.code as string | undefined);
}
